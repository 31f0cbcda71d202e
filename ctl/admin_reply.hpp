// Requests for the list `P:admin` and their replies, as engramctl writes and reads them. Pure.
#pragma once

#include "base/result.hpp"
#include "ctl/complaint.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace engram::ctl {

/// The `result` of a reply, or what to tell.
using admin_result = base::result<boost::json::object, complaint>;

/// `user` none: left out. Holds the bytes that were given, so it is UTF-8 only if they are.
[[nodiscard]] std::string admin_request_text(std::string_view id, std::string_view op,
                                             std::optional<std::string> const& user,
                                             boost::json::object fields);

/// What is no reply is senseless_reply(). Exit codes of errors: EX_NOINPUT for what is not found, EX_DATAERR
/// for a request that would be refused again, EX_TEMPFAIL for one worth another try, else EX_SOFTWARE.
[[nodiscard]] admin_result read_admin_reply(std::string_view text);

/// EX_PROTOCOL.
[[nodiscard]] complaint senseless_reply();

/// The page of a list behind this one: its cursor, or none at the end. The error: there is a cursor that
/// leads nowhere, or back to a page that was `seen`.
[[nodiscard]] base::result<std::optional<std::string>, complaint> next_cursor(
    boost::json::object const& result, std::set<std::string> const& seen);

/// A memory's id as it is given on the command line; none: not_a_memory_id() says why.
[[nodiscard]] std::optional<std::int64_t> memory_id(std::string_view given);
[[nodiscard]] std::string not_a_memory_id(std::string_view given);

}  // namespace engram::ctl
