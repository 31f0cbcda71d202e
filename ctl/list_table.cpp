#include "ctl/list_table.hpp"

#include "ctl/display.hpp"
#include "ctl/json_fields.hpp"

namespace engram::ctl {

bool list_table::add(boost::json::object const& result) {
    auto const* const elements = objects_in(result, kind_.field);
    if (!elements) return false;
    for (auto const& element : *elements)
        rows_.push_back(kind_.cells(element.get_object()));
    return true;
}

std::string list_table::text() const {
    return rows_.size() > 1 ? table(rows_) : std::string(kind_.none) + '\n';
}

}  // namespace engram::ctl
