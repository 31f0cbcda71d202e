#include "claude/outgoing.hpp"

#include "base/json_text.hpp"
#include "base/utf8.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>

namespace engram::claude {
namespace {

// Room for a head with a key of usual length; a longer one makes room for itself.
constexpr std::size_t usual_head = 448;
// The body begins with the model, so that it can be replaced.
constexpr std::string_view before_model = "{\"model\":";

bool is_blank(text_block const& block) {
    return base::is_blank(block.text);
}

bool is_blank(content_block const& block) {
    return std::visit([](auto const& what) { return is_blank(what); }, block.what);
}

// What the text of a block takes on the wire, about.
std::size_t size_of(text_block const& block) {
    return block.text.size() + block.text.size() / 32;
}

bool has_content(std::vector<content_block> const& blocks) {
    return !std::ranges::all_of(blocks, [](content_block const& block) { return is_blank(block); });
}

template <class F>
void for_each_block(request const& what, F f) {
    for (auto const& block : what.system)
        if (!is_blank(block)) f(block);
    for (auto const& message : what.messages)
        for (auto const& block : message.content)
            if (!is_blank(block)) f(block);
}

class body_writer {
public:
    body_writer(std::string& out, request const& what, options const& options)
        : out_(out), begin_(out.size()) {
        std::size_t breakpoints = 0;
        std::size_t size = 128 + what.model.size();
        if (!what.output_schema.empty()) size += 64 + what.output_schema.size();
        if (!what.effort.empty()) size += 32 + what.effort.size();
        for_each_block(what, [&](content_block const& block) {
            if (block.cache_breakpoint) ++breakpoints;
            size += 72 + std::visit([](auto const& what) { return size_of(what); }, block.what);
        });
        skip_ =
            options.prompt_cache ? breakpoints - std::min(breakpoints, max_cache_breakpoints) : breakpoints;
        out_.reserve(out_.size() + size);
    }

    void write(request const& what, options const& options) {
        base::json_object_writer body(out_);
        body.text("model", what.model);
        model_size_ = out_.size() - begin_ - before_model.size();
        body.number("max_tokens", what.max_tokens);
        if (!options.thinking.empty()) {
            body.key("thinking");
            base::json_object_writer thinking(out_);
            thinking.text("type", options.thinking);
            thinking.end();
        }
        if (!what.effort.empty() || !what.output_schema.empty()) {
            body.key("output_config");
            write_output_config(what);
        }
        if (has_content(what.system)) {
            body.key("system");
            write_blocks(what.system);
        }
        body.key("messages");
        write_messages(what.messages);
        body.end();
    }

    /// After write(): how long the model's name is, with its quotes.
    [[nodiscard]] std::size_t model_size() const { return model_size_; }

private:
    void write_output_config(request const& what) {
        base::json_object_writer config(out_);
        if (!what.effort.empty()) config.text("effort", what.effort);
        if (!what.output_schema.empty()) {
            config.key("format");
            base::json_object_writer format(out_);
            format.text("type", "json_schema");
            format.raw("schema", what.output_schema);
            format.end();
        }
        config.end();
    }

    void write_messages(std::vector<message> const& messages) {
        out_ += '[';
        char const* separator = "";
        for (auto const& message : messages) {
            if (!has_content(message.content)) continue;
            out_ += separator;
            out_ += message.role == role::user ? "{\"role\":\"user\",\"content\":"
                                               : "{\"role\":\"assistant\",\"content\":";
            write_blocks(message.content);
            out_ += '}';
            separator = ",";
        }
        out_ += ']';
    }

    void write_blocks(std::vector<content_block> const& blocks) {
        char separator = '[';
        for (auto const& block : blocks) {
            if (is_blank(block)) continue;
            out_ += separator;
            std::visit([this](auto const& what) { begin_block(what); }, block.what);
            if (block.cache_breakpoint && skip_ > 0)
                --skip_;
            else if (block.cache_breakpoint)
                out_ += ",\"cache_control\":{\"type\":\"ephemeral\"}";
            out_ += '}';
            separator = ',';
        }
        out_ += ']';
    }

    // All of the block but its end, since any kind can be a breakpoint.
    void begin_block(text_block const& block) {
        out_ += "{\"type\":\"text\",\"text\":";
        base::append_json_string(out_, block.text);
    }

    std::string& out_;
    std::size_t begin_;
    std::size_t model_size_ = 0;
    std::size_t skip_ = 0;  // breakpoints still to be left out
};

}  // namespace

std::string compose_head(std::string_view method, std::string_view path, http::base_url const& url,
                         options const& options, base::secret const& key) {
    std::string head(method);
    head.append(" ").append(url.path).append(path);
    head += " HTTP/1.1\r\nhost: " + url.authority();
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
    body_writer writer(bytes_, what, options);
    writer.write(what, options);
    model_size_ = writer.model_size();
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

void outgoing::set_model(std::string_view model) {
    std::string name;
    base::append_json_string(name, model);
    bytes_.replace(body_ + before_model.size(), model_size_, name);
    model_size_ = name.size();
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
