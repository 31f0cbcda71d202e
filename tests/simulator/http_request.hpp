// A request as it comes over the wire.
#pragma once

#include <boost/beast/http/basic_parser.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace engram::simulator {

struct http_request {
    std::string method;
    std::string target;
    std::string api_key;
    std::string authorization;
    std::string version;
    std::string content_encoding;
    bool has_api_key = false;
    bool has_authorization = false;
    bool has_version = false;
    bool expects_continue = false;
    std::string header_lines;  ///< for the recorder; empty if it is off
    std::string body;

    [[nodiscard]] std::string_view path() const {
        return std::string_view(target).substr(0, target.find('?'));
    }
    /// A parameter of the query; empty if there is none.
    [[nodiscard]] std::string_view parameter(std::string_view name) const;
};

inline constexpr std::size_t most_body_bytes = 32UL * 1024 * 1024;

/// Fills a request that must outlive it. One for each request.
class request_reader : public boost::beast::http::basic_parser<true> {
public:
    request_reader(http_request& into, bool keep_headers);

private:
    using error_code = boost::beast::error_code;
    using verb = boost::beast::http::verb;
    using field = boost::beast::http::field;
    using string_view = boost::beast::string_view;

    void on_request_impl(verb, string_view method, string_view target, int version, error_code& ec) override;
    void on_response_impl(int, string_view, int, error_code&) override {}
    void on_field_impl(field f, string_view name, string_view value, error_code& ec) override;
    void on_header_impl(error_code&) override {}
    void on_body_init_impl(boost::optional<std::uint64_t> const& length, error_code& ec) override;
    std::size_t on_body_impl(string_view bytes, error_code& ec) override;
    void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, string_view bytes, error_code& ec) override;
    void on_finish_impl(error_code&) override {}

    http_request& into_;
    bool keep_headers_;
};

}  // namespace engram::simulator
