#include "http/client/reply_reader.hpp"

#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <optional>
#include <utility>

namespace engram::http {

namespace beast = boost::beast::http;

namespace {

constexpr std::uint32_t max_head_bytes = 64 * 1024;
constexpr unsigned max_interim_answers = 16;

}  // namespace

struct reply_reader::state {
    std::optional<beast::response_parser<beast::string_body>> parser;
    std::string unread;  // bytes that the parser wants to see again together with the next ones
    unsigned interim = 0;
    bool surplus = false;  // bytes behind the answer: nobody asked for them

    explicit state(std::size_t max_body_bytes) { restart(max_body_bytes); }
    void restart(std::size_t max_body_bytes) {
        parser.emplace();
        parser->header_limit(max_head_bytes);
        parser->body_limit(max_body_bytes);
        parser->eager(true);
    }
};

reply_reader::reply_reader(std::size_t max_body_bytes, std::span<std::string_view const> more_headers)
    : max_body_bytes_(max_body_bytes), more_headers_(more_headers) {}
reply_reader::~reply_reader() = default;

reply_reader::progress reply_reader::fail(std::string problem) {
    problem_ = std::move(problem);
    return progress::bad;
}

reply_reader::progress reply_reader::feed(std::string_view bytes) {
    if (bytes.empty()) return progress::more;
    if (!state_) state_ = std::make_unique<state>(max_body_bytes_);
    std::string joined;
    if (!state_->unread.empty()) {
        joined = std::exchange(state_->unread, {});
        joined += bytes;
        bytes = joined;
    }
    while (!bytes.empty()) {
        boost::beast::error_code ec;
        auto const consumed = state_->parser->put(boost::asio::const_buffer(bytes.data(), bytes.size()), ec);
        bytes.remove_prefix(consumed);
        if (ec == beast::error::need_more) {
            if (consumed == 0) break;
            continue;
        }
        if (ec == beast::error::body_limit)
            return fail("is longer than " + std::to_string(max_body_bytes_) + " bytes");
        if (ec) return fail("is not proper HTTP (" + ec.message() + ")");
        if (state_->parser->is_done()) {
            bool const interim = state_->parser->get().result_int() / 100 == 1;
            if (!interim || state_->parser->get().result_int() == 101) return check_done(bytes);
            if (++state_->interim > max_interim_answers) return fail("never comes: only interim answers do");
            state_->restart(max_body_bytes_);
        }
    }
    if (bytes.size() > max_head_bytes) return fail("is not proper HTTP (a line without end)");
    state_->unread = bytes;
    return progress::more;
}

reply_reader::progress reply_reader::check_done(std::string_view rest) {
    state_->surplus = !rest.empty();
    return progress::done;
}

reply_reader::progress reply_reader::finish() {
    if (!state_) return fail("did not come: the connection was closed");
    boost::beast::error_code ec;
    state_->parser->put_eof(ec);
    if (ec || !state_->parser->is_done())
        return fail("is cut: the connection was closed in the middle of it");
    return check_done({});
}

reply reply_reader::take() {
    auto& message = state_->parser->get();
    auto const header = [&](std::string_view name) { return std::string(message[name]); };
    reply whole;
    whole.status = int(message.result_int());
    whole.request_id = header("request-id");
    whole.should_retry = header("x-should-retry");
    whole.retry_after_ms = header("retry-after-ms");
    whole.retry_after = header("retry-after");
    whole.content_encoding = header("content-encoding");
    for (std::size_t i = 0; i < more_headers_.size(); ++i) {
        auto const value = message[more_headers_[i]];
        if (value.empty()) continue;
        if (whole.more.empty()) whole.more.resize(more_headers_.size());
        whole.more[i] = value;
    }
    whole.keep_alive = message.keep_alive() && !message.need_eof() && !state_->surplus && whole.status != 101;
    whole.body = std::move(message.body());
    return whole;
}

}  // namespace engram::http
