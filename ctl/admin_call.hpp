// One operation of the list `P:admin`: asked, waited for, answered.
#pragma once

#include "ctl/admin_reply.hpp"
#include "ctl/connection.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace engram::ctl {

struct admin_target {
    std::string prefix = "engram";
    std::optional<std::string> user;
    std::chrono::seconds timeout{30};  ///< for one answer
};

/// The result of the operation. A request that nobody took in time is taken back, so that it is not carried
/// out when nobody expects it any more.
[[nodiscard]] admin_result call_admin(connection& redis, admin_target const& target, std::string_view op,
                                      boost::json::object fields = {});

/// The pages of a list.
struct page_walk {
    std::string_view op;
    boost::json::object fields;
    std::optional<std::string> cursor;  ///< where to begin, and after the walk where it can go on
    bool all = false;                   ///< to the end, not one page
};

/// Gives each page to `take`, which returns false if it makes no sense.
[[nodiscard]] std::optional<complaint> walk_pages(
    connection& redis, admin_target const& target, page_walk& walk,
    std::function<bool(boost::json::object const&)> const& take);

}  // namespace engram::ctl
