// What is asked on the reader of lists.
#pragma once

#include "store/sqlite/adoption_queries.hpp"
#include "store/sqlite/export_queries.hpp"
#include "store/sqlite/listing_queries.hpp"
#include "store/sqlite/pending_queries.hpp"
#include "store/sqlite/upkeep_queries.hpp"

namespace engram::store {

struct list_queries {
    list_queries(connection& db, text_index const* texts)
        : db(db), lists(db, texts), exports(db), erasures(db), foreign(db), older(db), newest(db) {}

    connection& db;
    listing_queries lists;
    export_queries exports;
    due_erasures erasures;
    foreign_rows foreign;
    older_turns older;
    newest_outcome newest;
};

}  // namespace engram::store
