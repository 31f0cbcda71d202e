// A turn of a conversation, and other text of several lines. Pure.
#pragma once

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace engram::ctl {

/// Safe to print, each line behind `blanks` blanks: no content can pose as what stands around it.
[[nodiscard]] std::string indented(std::string_view content, std::size_t blanks);

/// When and who, and below it the content.
[[nodiscard]] std::string turn_text(boost::json::object const& turn, std::size_t blanks = 0);

}  // namespace engram::ctl
