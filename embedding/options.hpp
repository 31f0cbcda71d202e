// What the embedding client is made with.
#pragma once

#include "base/secret.hpp"
#include "http/client/limits.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace engram::embedding {

/// Queries open at a time: an endpoint that has so many is only slowed by one more.
inline constexpr std::size_t most_queries = 64;

struct options {
    /// `https://host[:port][/path]` or `http://…`; empty: off. `/v1/embeddings` is appended (a `/v1` at its
    /// end is not repeated).
    std::string base_url;
    std::string model;
    /// `openai`, which many servers speak, or `voyage`, which is told queries and documents apart.
    std::string provider = "openai";
    std::uint32_t dimensions = 0;                     ///< asked for; 0: the model's own
    std::chrono::milliseconds timeout{250};           ///< a query's, then the search is lexical
    std::chrono::milliseconds batch_timeout{30'000};  ///< a request's with documents
    /// A kept connection closed so soon after a request was sent had died idle; see http/client/limits.hpp.
    std::chrono::milliseconds died_idle_within = http::died_idle_within;
    std::size_t batch = 64;  ///< texts a request
    /// A file of CA certificates to trust instead of the system's store; empty: the system's store.
    std::string ca_file;
    base::secret api_key;  ///< may be empty: local servers want none
};

}  // namespace engram::embedding
