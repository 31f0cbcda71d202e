// What can fail because of input or a peer is returned, not thrown.
//
// Each module has an error type of its own (`store::error`, `claude::error`, ...): a kind to branch on and a
// message for people. A message says what happened, to which job or key, and what the operator can do.
#pragma once

#include <boost/system/result.hpp>

namespace engram::base {

template <class T, class E>
using result = boost::system::result<T, E>;

}  // namespace engram::base
