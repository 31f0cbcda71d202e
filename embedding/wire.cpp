#include "embedding/wire.hpp"

#include "base/utf8.hpp"

#include <boost/json/array.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <cfloat>
#include <cmath>
#include <optional>
#include <utility>

namespace engram::embedding {
namespace {

namespace json = boost::json;

std::string_view cut(std::string_view text) {
    if (text.size() <= max_text_bytes) return text;
    std::size_t size = max_text_bytes;
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80)
        --size;
    return text.substr(0, size);
}

std::optional<float> to_float(json::value const& value) {
    double number = 0;
    if (auto const* d = value.if_double())
        number = *d;
    else if (auto const* i = value.if_int64())
        number = double(*i);
    else if (auto const* u = value.if_uint64())
        number = double(*u);
    else
        return std::nullopt;
    // Not in range: also what is not finite.
    if (!(std::abs(number) <= FLT_MAX)) return std::nullopt;
    return float(number);
}

/// False if there is no direction in it.
bool make_unit(vector& v) {
    double sum = 0;
    for (float const x : v)
        sum += double(x) * x;
    double const length = std::sqrt(sum);
    if (length < FLT_MIN) return false;
    for (float& x : v)
        x = float(x / length);
    return true;
}

base::result<vector, std::string> read_vector(json::value const& value, std::size_t dimensions) {
    auto const* numbers = value.if_array();
    if (!numbers) return std::string("has an embedding that is not an array of numbers");
    if (numbers->empty()) return std::string("has an empty embedding");
    if (numbers->size() > max_dimensions)
        return "has " + std::to_string(numbers->size()) + " dimensions, more than " +
               std::to_string(max_dimensions);
    if (dimensions != 0 && numbers->size() != dimensions)
        return "has " + std::to_string(numbers->size()) + " dimensions, not " + std::to_string(dimensions);
    vector read;
    read.reserve(numbers->size());
    for (auto const& number : *numbers) {
        auto const component = to_float(number);
        if (!component) return std::string("has an embedding with something else than finite numbers");
        read.push_back(*component);
    }
    if (!make_unit(read)) return std::string("has an embedding of nothing but zeros");
    return read;
}

std::optional<std::size_t> read_index(json::object const& item, std::size_t count) {
    auto const* index = item.if_contains("index");
    if (!index || !index->is_int64()) return std::nullopt;
    auto const at = index->get_int64();
    if (at < 0 || std::size_t(at) >= count) return std::nullopt;
    return std::size_t(at);
}

base::result<std::vector<vector>, std::string> read_data(json::array const& data, std::size_t count,
                                                         std::size_t dimensions) {
    if (data.size() != count)
        return "has " + std::to_string(data.size()) + " embeddings for " + std::to_string(count) + " texts";
    std::vector<vector> all(count);
    for (auto const& item : data) {
        auto const* object = item.if_object();
        auto const* embedding = object ? object->if_contains("embedding") : nullptr;
        if (!embedding) return std::string("has an item without an embedding");
        auto const at = read_index(*object, count);
        if (!at || !all[*at].empty()) return std::string("does not number its embeddings from 0, each once");
        auto one = read_vector(*embedding, dimensions);
        if (one.has_error()) return one.error();
        dimensions = one->size();
        all[*at] = std::move(*one);
    }
    return all;
}

// Garbage of the size that is allowed for many vectors must not become a tree many times as large.
std::size_t most_bytes(std::size_t count) {
    constexpr std::size_t a_number = 48;  // with blanks and a line break
    return 64 * 1024 + count * max_dimensions * a_number;
}

}  // namespace

std::string compose_head(http::base_url const& url, base::secret const& key) {
    std::string head = "POST " + url.path;
    if (!head.ends_with("/v1")) head += "/v1";
    head += "/embeddings HTTP/1.1\r\nhost: " + url.authority();
    head += "\r\nuser-agent: engramd/" ENGRAM_VERSION
            "\r\naccept: application/json\r\ncontent-type: application/json";
    if (!key.empty()) {
        head += "\r\nauthorization: Bearer ";
        head += key.reveal();
    }
    return head += "\r\ncontent-length: ";
}

std::string compose_body(options const& options, std::span<std::string const> texts, purpose why) {
    json::array input;
    input.reserve(texts.size());
    for (std::string_view const text : texts)
        input.emplace_back(base::to_utf8(cut(text)));
    json::object body;
    body["model"] = base::to_utf8(options.model);
    body["input"] = std::move(input);
    bool const voyage = options.provider == "voyage";
    if (voyage) body["input_type"] = why == purpose::query ? "query" : "document";
    if (options.dimensions != 0) body[voyage ? "output_dimension" : "dimensions"] = options.dimensions;
    // No encoding_format: arrays of numbers are what all send unasked, and Voyage has no name for them.
    return json::serialize(body);
}

base::result<std::vector<vector>, std::string> read_vectors(std::string_view body, std::size_t count,
                                                            std::size_t dimensions) {
    if (body.size() > most_bytes(count)) return std::string("is longer than its vectors can be");
    json::monotonic_resource memory;
    json::parse_options options;
    options.allow_invalid_utf8 = true;  // of the text in it, nothing is used
    options.max_depth = 32;
    json::error_code ec;
    auto const document = json::parse(body, ec, &memory, options);
    if (ec) return body.empty() ? "is empty" : "is not JSON or is cut (" + ec.message() + ")";
    auto const* object = document.if_object();
    auto const* data = object ? object->if_contains("data") : nullptr;
    if (!data || !data->is_array()) return std::string("is JSON but has no list of embeddings");
    return read_data(data->get_array(), count, dimensions);
}

error explain_status(int status) {
    error found;
    found.status = status;
    found.message = "the embedding endpoint answered " + std::to_string(status);
    if (status == 400 || status == 413 || status == 422) {
        found.kind = error_kind::rejected;
        found.message += ": it refuses these texts, or embedding.dimensions or embedding.batch";
    } else if (status == 401 || status == 403) {
        found.message += ": it does not accept the key";
    } else if (status == 404 || status == 405) {
        found.message += ": check embedding.base_url and embedding.model";
    } else if (status / 100 == 3) {
        found.message += ": redirects are not followed, set the address that it should have been";
    }
    return found;
}

}  // namespace engram::embedding
