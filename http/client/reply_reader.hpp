// Reads one HTTP/1.x answer from the bytes of a connection. No I/O.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace engram::http {

/// A whole answer: its status, body and the headers that matter here ("" where absent).
struct reply {
    int status = 0;
    std::string body;
    std::string request_id;
    std::string should_retry;
    std::string retry_after_ms;
    std::string retry_after;
    std::string content_encoding;
    std::vector<std::string> more;  ///< those that were asked for, in that order; empty if none was there
    bool keep_alive = false;        ///< the connection may carry another request
};

/// Interim answers (1xx) are passed over. Nothing is allocated before the first byte.
class reply_reader {
public:
    enum class progress { more, done, bad };

    /// `more_headers`: names of others to be kept, which must outlive it.
    explicit reply_reader(std::size_t max_body_bytes, std::span<std::string_view const> more_headers = {});
    ~reply_reader();
    reply_reader(reply_reader const&) = delete;
    reply_reader& operator=(reply_reader const&) = delete;

    progress feed(std::string_view bytes);
    /// The peer has closed: done if the body was one that ends with the connection, else bad.
    progress finish();

    [[nodiscard]] bool got_bytes() const { return state_ != nullptr; }
    /// After bad: what is wrong, as the end of a sentence about the answer.
    [[nodiscard]] std::string const& problem() const { return problem_; }
    /// After done; once.
    [[nodiscard]] reply take();

private:
    struct state;
    progress fail(std::string problem);
    progress check_done(std::string_view rest);

    std::size_t max_body_bytes_;
    std::span<std::string_view const> more_headers_;
    std::unique_ptr<state> state_;
    std::string problem_;
};

}  // namespace engram::http
