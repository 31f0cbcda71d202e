// What need not be a secret, but should differ from process to process.
#pragma once

namespace engram::base {

/// In [0, 1), evenly; another one each time.
[[nodiscard]] double chance();

}  // namespace engram::base
