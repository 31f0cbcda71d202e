#include "redis/resp.hpp"

#include <hiredis/hiredis.h>
#include <hiredis/read.h>

#include <charconv>
#include <new>

namespace engram::redis {
namespace {

// hiredis builds whatever objects these functions make: ours, without a detour over redisReply.
// A task with a parent writes into the parent's items, which were sized by make_array and so never move.
value* place(redisReadTask const* task) {
    if (task->parent) return &static_cast<value*>(task->parent->obj)->items[std::size_t(task->idx)];
    return new (std::nothrow) value;
}

// No exception may pass through hiredis, which is C: null tells it that there was no memory. A value with a
// parent is freed with it.
void* give_up(redisReadTask const* task, value* half_made) {
    if (!task->parent) delete half_made;
    return nullptr;
}

// Far more than any answer that the daemon asks for; it keeps a length that is garbage from taking all
// memory.
constexpr std::size_t most_items = 1024 * 1024;

void* make_string(redisReadTask const* task, char* text, std::size_t size) {
    auto* value = place(task);
    if (!value) return nullptr;
    switch (task->type) {
        case REDIS_REPLY_STATUS:
            value->kind = value_kind::status;
            break;
        case REDIS_REPLY_ERROR:
            value->kind = value_kind::error;
            break;
        default:
            value->kind = value_kind::string;
            break;
    }
    try {
        value->text.assign(text, size);
    } catch (std::bad_alloc const&) {
        return give_up(task, value);
    }
    return value;
}

// The count is an int before hiredis 1.0 and a size_t since.
template <class Count>
void* make_array(redisReadTask const* task, Count elements) {
    auto* value = place(task);
    if (!value) return nullptr;
    value->kind = value_kind::array;
    if (elements < 0 || std::size_t(elements) > most_items) return give_up(task, value);
    try {
        value->items.resize(std::size_t(elements));
    } catch (std::bad_alloc const&) {
        return give_up(task, value);
    }
    return value;
}

void* make_integer(redisReadTask const* task, long long number) {
    auto* value = place(task);
    if (!value) return nullptr;
    value->kind = value_kind::integer;
    value->integer = number;
    return value;
}

void* make_nil(redisReadTask const* task) {
    return place(task);
}

void free_value(void* made) {
    delete static_cast<value*>(made);
}

// RESP2 only: the daemon never asks for RESP3, so its further types cannot come.
redisReplyObjectFunctions make_functions() {
    redisReplyObjectFunctions functions{};
    functions.createString = make_string;
    functions.createArray = make_array;
    functions.createInteger = make_integer;
    functions.createNil = make_nil;
    functions.freeObject = free_value;
    return functions;
}

redisReplyObjectFunctions functions = make_functions();

}  // namespace

std::int64_t value::as_integer() const {
    if (kind == value_kind::integer) return integer;
    std::int64_t number = 0;
    if (is_text()) std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

void append_command(std::string& out, std::vector<std::string_view> const& arguments) {
    std::vector<char const*> data;
    std::vector<std::size_t> sizes;
    data.reserve(arguments.size());
    sizes.reserve(arguments.size());
    for (auto const argument : arguments) {
        data.push_back(argument.data());
        sizes.push_back(argument.size());
    }
    char* formatted = nullptr;
    auto const size = redisFormatCommandArgv(&formatted, int(arguments.size()), data.data(), sizes.data());
    if (size < 0) throw std::bad_alloc();
    out.append(formatted, std::size_t(size));
    redisFreeCommand(formatted);
}

struct resp_reader::state {
    redisReader* reader = redisReaderCreateWithFunctions(&functions);
    state() {
        if (!reader) throw std::bad_alloc();
    }
    ~state() { redisReaderFree(reader); }
    state(state const&) = delete;
    state& operator=(state const&) = delete;
};

resp_reader::resp_reader() : state_(std::make_unique<state>()) {}
resp_reader::~resp_reader() = default;
resp_reader::resp_reader(resp_reader&&) noexcept = default;
resp_reader& resp_reader::operator=(resp_reader&&) noexcept = default;

void resp_reader::feed(std::string_view bytes) {
    redisReaderFeed(state_->reader, bytes.data(), bytes.size());
}

base::result<std::optional<value>, std::string> resp_reader::next() {
    void* made = nullptr;
    if (redisReaderGetReply(state_->reader, &made) != REDIS_OK) return std::string(state_->reader->errstr);
    if (!made) return std::optional<value>();
    std::unique_ptr<value> const whole(static_cast<value*>(made));
    return std::optional<value>(std::move(*whole));
}

}  // namespace engram::redis
