#include "replies.hpp"

namespace engram::tests {

std::string message_json(std::string_view text, std::string_view stop_reason) {
    return R"({"id":"msg_1","type":"message","role":"assistant","model":"claude-opus-4-5-20251101","content":[)"
           R"({"type":"text","text":")" +
           std::string(text) + R"("}],"stop_reason":")" + std::string(stop_reason) +
           R"(","usage":{"input_tokens":10,"output_tokens":2}})";
}

std::string error_json(std::string_view type, std::string_view message, std::string_view details) {
    return R"({"type":"error","error":{"type":")" + std::string(type) + R"(","message":")" +
           std::string(message) + R"(","details":)" + std::string(details) + R"(},"request_id":"req_9"})";
}

}  // namespace engram::tests
