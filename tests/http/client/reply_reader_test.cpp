#include "http/client/reply_reader.hpp"

#include <boost/test/unit_test.hpp>

using engram::http::reply_reader;
using progress = reply_reader::progress;

namespace engram::http {
static std::ostream& boost_test_print_type(std::ostream& out, reply_reader::progress p) {
    return out << int(p);
}
}  // namespace engram::http

namespace {

constexpr std::size_t limit = 1000;

progress feed_bytewise(reply_reader& reader, std::string_view bytes) {
    auto last = progress::more;
    for (std::size_t i = 0; i < bytes.size() && last == progress::more; ++i)
        last = reader.feed(bytes.substr(i, 1));
    return last;
}

std::string with_length(std::string_view body, std::string_view headers = {}) {
    return "HTTP/1.1 200 OK\r\n" + std::string(headers) + "Content-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + std::string(body);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(http)

BOOST_AUTO_TEST_CASE(an_answer_is_read_at_once_and_byte_by_byte) {
    auto const bytes =
        with_length("hello", "Request-Id: req_1\r\nRETRY-AFTER: 3\r\nx-should-retry: true\r\n");
    for (bool const slowly : {false, true}) {
        reply_reader reader(limit);
        BOOST_TEST((slowly ? feed_bytewise(reader, bytes) : reader.feed(bytes)) == progress::done);
        auto const reply = reader.take();
        BOOST_TEST(reply.status == 200);
        BOOST_TEST(reply.body == "hello");
        BOOST_TEST(reply.request_id == "req_1");
        BOOST_TEST(reply.retry_after == "3");
        BOOST_TEST(reply.should_retry == "true");
        BOOST_TEST(reply.keep_alive);
    }
}

BOOST_AUTO_TEST_CASE(chunks_are_joined) {
    std::string const bytes =
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\ntrailer: "
        "1\r\n\r\n";
    for (bool const slowly : {false, true}) {
        reply_reader reader(limit);
        BOOST_TEST((slowly ? feed_bytewise(reader, bytes) : reader.feed(bytes)) == progress::done);
        auto const reply = reader.take();
        BOOST_TEST(reply.body == "hello");
        BOOST_TEST(reply.keep_alive);
    }
}

BOOST_AUTO_TEST_CASE(interim_answers_are_passed_over) {
    reply_reader reader(limit);
    BOOST_TEST(reader.feed("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n") ==
               progress::more);
    BOOST_TEST(reader.feed(with_length("a")) == progress::done);
    BOOST_TEST(reader.take().status == 200);
}

BOOST_AUTO_TEST_CASE(interim_answers_without_end_are_refused) {
    reply_reader reader(limit);
    std::string many;
    for (int i = 0; i < 100; ++i)
        many += "HTTP/1.1 100 Continue\r\n\r\n";
    BOOST_TEST(reader.feed(many) == progress::bad);
}

BOOST_AUTO_TEST_CASE(an_old_server_ends_its_answer_by_closing) {
    reply_reader reader(limit);
    BOOST_TEST(reader.feed("HTTP/1.0 200 OK\r\n\r\nhello") == progress::more);
    BOOST_TEST(reader.finish() == progress::done);
    auto const reply = reader.take();
    BOOST_TEST(reply.body == "hello");
    BOOST_TEST(!reply.keep_alive);
}

BOOST_AUTO_TEST_CASE(a_connection_to_be_closed_is_not_kept) {
    for (std::string const& bytes : {with_length("a", "Connection: close\r\n"), with_length("a") + "surplus",
                                     std::string("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na")}) {
        reply_reader reader(limit);
        BOOST_TEST(reader.feed(bytes) == progress::done);
        BOOST_TEST(!reader.take().keep_alive);
    }
}

BOOST_AUTO_TEST_CASE(a_cut_answer_is_bad) {
    for (auto const* cut : {"H", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"}) {
        reply_reader reader(limit);
        BOOST_TEST(reader.feed(cut) == progress::more);
        BOOST_TEST(reader.finish() == progress::bad);
        BOOST_TEST(!reader.problem().empty());
    }
}

BOOST_AUTO_TEST_CASE(an_end_before_the_first_byte_is_told_apart) {
    reply_reader reader(limit);
    BOOST_TEST(reader.finish() == progress::bad);
    BOOST_TEST(!reader.got_bytes());
}

BOOST_AUTO_TEST_CASE(garbage_is_bad) {
    for (std::string const& bytes :
         {std::string("garbage\r\n\r\n"), std::string("\0\0\0\0\0\0\0\0\0\0\0\0", 12),
          std::string("HTTP/1.1 2x0 OK\r\n\r\n"),
          std::string("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"),
          std::string("HTTP/1.1 200 OK\r\nbad\x01: x\r\n\r\n"),
          std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")}) {
        reply_reader reader(limit);
        BOOST_TEST(reader.feed(bytes) == progress::bad, bytes);
    }
}

BOOST_AUTO_TEST_CASE(too_much_is_refused_before_it_is_stored) {
    reply_reader announced(limit);
    BOOST_TEST(announced.feed("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n") == progress::bad);
    reply_reader endless(limit);
    endless.feed("HTTP/1.1 200 OK\r\n\r\n");
    BOOST_TEST(endless.feed(std::string(1001, 'x')) == progress::bad);
    BOOST_TEST(endless.problem() == "is longer than 1000 bytes");
}

BOOST_AUTO_TEST_CASE(a_head_or_a_chunk_line_without_end_is_refused) {
    std::string const piece(1000, 'x');
    for (auto const* start :
         {"HTTP/1.1 200 OK\r\nx: ", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x="}) {
        reply_reader reader(limit);
        auto last = reader.feed(start);
        for (int i = 0; i < 1000 && last == progress::more; ++i)
            last = reader.feed(piece);
        BOOST_TEST(last == progress::bad);
    }
}

BOOST_AUTO_TEST_SUITE_END()
