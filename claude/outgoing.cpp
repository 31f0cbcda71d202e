#include "claude/outgoing.hpp"

#include "base/utf8.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>

namespace engram::claude {
namespace {

// Room for a head with a key of usual length; a longer one makes room for itself.
constexpr std::size_t usual_head = 448;

void append_escape(std::string& out, unsigned char c) {
    static constexpr char digits[] = "0123456789abcdef";
    switch (c) {
        case '"':
            out += "\\\"";
            return;
        case '\\':
            out += "\\\\";
            return;
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        default:
            out += "\\u00";
            out += digits[c >> 4];
            out += digits[c & 15];
    }
}

void append_json_string(std::string& out, std::string_view text) {
    std::string repaired;
    if (!base::is_utf8(text)) {
        repaired = base::to_utf8(text);
        text = repaired;
    }
    out += '"';
    std::size_t from = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto const c = static_cast<unsigned char>(text[i]);
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        out.append(text, from, i - from);
        append_escape(out, c);
        from = i + 1;
    }
    out.append(text, from);
    out += '"';
}

bool has_text(std::vector<text_block> const& blocks) {
    return std::any_of(blocks.begin(), blocks.end(), [](auto const& b) { return !base::is_blank(b.text); });
}

template <class F>
void for_each_block(request const& what, F f) {
    for (auto const& block : what.system)
        if (!base::is_blank(block.text)) f(block);
    for (auto const& message : what.messages)
        for (auto const& block : message.content)
            if (!base::is_blank(block.text)) f(block);
}

class body_writer {
public:
    body_writer(std::string& out, request const& what, options const& options) : out_(out) {
        std::size_t breakpoints = 0;
        std::size_t size = 128 + what.model.size();
        if (!what.output_schema.empty()) size += 64 + what.output_schema.size();
        for_each_block(what, [&](text_block const& block) {
            if (block.cache_breakpoint) ++breakpoints;
            size += block.text.size() + block.text.size() / 32 + 72;
        });
        skip_ =
            options.prompt_cache ? breakpoints - std::min(breakpoints, max_cache_breakpoints) : breakpoints;
        out_.reserve(out_.size() + size);
    }

    void write(request const& what, options const& options) {
        out_ += "{\"model\":";
        append_json_string(out_, what.model);
        out_ += ",\"max_tokens\":";
        out_ += std::to_string(what.max_tokens);
        if (!options.thinking.empty()) {
            out_ += ",\"thinking\":{\"type\":";
            append_json_string(out_, options.thinking);
            out_ += '}';
        }
        if (!what.output_schema.empty()) {
            out_ += ",\"output_config\":{\"format\":{\"type\":\"json_schema\",\"schema\":";
            out_ += what.output_schema;
            out_ += "}}";
        }
        if (has_text(what.system)) {
            out_ += ",\"system\":";
            write_blocks(what.system);
        }
        out_ += ",\"messages\":[";
        char const* separator = "";
        for (auto const& message : what.messages) {
            if (!has_text(message.content)) continue;
            out_ += separator;
            out_ += message.role == role::user ? "{\"role\":\"user\",\"content\":"
                                               : "{\"role\":\"assistant\",\"content\":";
            write_blocks(message.content);
            out_ += '}';
            separator = ",";
        }
        out_ += "]}";
    }

private:
    void write_blocks(std::vector<text_block> const& blocks) {
        char separator = '[';
        for (auto const& block : blocks) {
            if (base::is_blank(block.text)) continue;
            out_ += separator;
            out_ += "{\"type\":\"text\",\"text\":";
            append_json_string(out_, block.text);
            if (block.cache_breakpoint && skip_ > 0)
                --skip_;
            else if (block.cache_breakpoint)
                out_ += ",\"cache_control\":{\"type\":\"ephemeral\"}";
            out_ += '}';
            separator = ',';
        }
        out_ += ']';
    }

    std::string& out_;
    std::size_t skip_ = 0;  // breakpoints still to be left out
};

}  // namespace

std::string compose_head(http::base_url const& url, options const& options, base::secret const& key) {
    std::string head = "POST " + url.path + "/v1/messages HTTP/1.1\r\nhost: " + url.authority();
    head += "\r\nuser-agent: engramd/" ENGRAM_VERSION
            "\r\naccept: application/json\r\ncontent-type: application/json\r\nanthropic-version: ";
    head += options.api_version;
    if (!key.empty()) {
        head += options.auth == auth_style::bearer ? "\r\nauthorization: Bearer " : "\r\nx-api-key: ";
        head += key.reveal();
    }
    head += "\r\ncontent-length: ";
    return head;
}

outgoing::outgoing(request const& what, options const& options) : begin_(usual_head), body_(usual_head) {
    bytes_.assign(usual_head, ' ');
    body_writer(bytes_, what, options).write(what, options);
    // Thousands of requests may wait for their answers at the same time.
    if (bytes_.capacity() - bytes_.size() > 128 + bytes_.size() / 32) bytes_.shrink_to_fit();
}

outgoing::~outgoing() {
    OPENSSL_cleanse(bytes_.data() + begin_, body_ - begin_);
}

void outgoing::set_head(std::string_view head) {
    std::string const length = std::to_string(bytes_.size() - body_) + "\r\n\r\n";
    std::size_t const size = head.size() + length.size();
    OPENSSL_cleanse(bytes_.data() + begin_, body_ - begin_);
    if (size > body_) {
        bytes_.insert(0, size - body_, ' ');
        body_ = size;
    }
    begin_ = body_ - size;
    std::memcpy(bytes_.data() + begin_, head.data(), head.size());
    std::memcpy(bytes_.data() + begin_ + head.size(), length.data(), length.size());
}

void outgoing::append_assistant(std::string_view content) {
    bool const first = bytes_.ends_with("[]}");
    bytes_.resize(bytes_.size() - 2);
    if (!first) bytes_ += ',';
    bytes_ += "{\"role\":\"assistant\",\"content\":";
    bytes_ += content;
    bytes_ += "}]}";
}

}  // namespace engram::claude
