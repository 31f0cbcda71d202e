// What a text must look like beyond being text, and what the keys demand of each other.
#pragma once

#include "daemon/config.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace engram::daemon {

// Each returns a phrase that goes on after the key's name, or nothing if all is well. None of the phrases
// repeats the text: it may hold a password.
[[nodiscard]] std::string check_redis_url(std::string_view text);
[[nodiscard]] std::string check_sentinel(std::string_view text);
[[nodiscard]] std::string check_prefix(std::string_view text);
[[nodiscard]] std::string check_base_url(std::string_view text);
[[nodiscard]] std::string check_model(std::string_view text);
[[nodiscard]] std::string check_embedding_url(std::string_view text);
[[nodiscard]] std::string check_embedding_model(std::string_view text);
[[nodiscard]] std::string check_header_text(std::string_view text);
[[nodiscard]] std::string check_store_path(std::string_view text);
[[nodiscard]] std::string check_reply_prefix(std::string_view text);
[[nodiscard]] std::string check_instance_name(std::string_view text);
[[nodiscard]] std::string check_timezone(std::string_view text);
[[nodiscard]] std::string check_listen(std::string_view text);

/// Problems between keys, as sentences that name both.
[[nodiscard]] std::vector<std::string> cross_check(config const& values);

/// What is allowed but hardly meant.
[[nodiscard]] std::vector<std::string> find_warnings(config const& values);

}  // namespace engram::daemon
