// A paged list as one table. Pure.
#pragma once

#include <boost/json/object.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace engram::ctl {

/// How the elements of a list are shown.
struct list_kind {
    std::string_view field;  ///< the array in the result
    std::string_view none;   ///< said of an empty list
    std::vector<std::string> headings;
    std::vector<std::string> (*cells)(boost::json::object const&);
};

class list_table {
public:
    /// `kind` must outlive it.
    explicit list_table(list_kind const& kind) : kind_(kind), rows_{kind.headings} {}

    /// Takes over a page; false: it is none.
    [[nodiscard]] bool add(boost::json::object const& result);

    [[nodiscard]] std::string text() const;

private:
    list_kind const& kind_;
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace engram::ctl
