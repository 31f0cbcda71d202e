#include "store/sqlite/curation_queries.hpp"

namespace engram::store {

curation_queries::curation_queries(connection& db, user_writer& users, memory_writer& memories,
                                   text_index const* texts, outdated_summaries& outdated)
    : users_(users),
      memories_(memories),
      texts_(texts),
      outdated_(outdated),
      consolidated_(
          db.prepare("UPDATE engram_user SET notes = 0, consolidated_at = ?2, consolidation_until = 0 "
                     "WHERE user_key = ?1")) {}

changed_memory curation_queries::changed(std::string const& user_id, saved_memory const& saved,
                                         std::int64_t superseded) {
    auto now = memories_.find(user_id, saved.id);
    return {now ? std::move(*now) : memory_record{}, saved.action, superseded};
}

changed_memory curation_queries::add(std::string const& user_id, new_memory const& what,
                                     analysed_text const& text, base::wall_time at) {
    auto user = users_.find_or_add(user_id);
    auto const saved = memories_.add(user, what, text, {user_id, {}, {}, 0, 0, at});
    users_.save(user);
    users_.name(user.key, user_id);
    return changed(user_id, saved, 0);
}

std::optional<changed_memory> curation_queries::change(std::string const& user_id, memory_change const& what,
                                                       analysed_text const& text, base::wall_time at) {
    auto const old = memories_.find(user_id, what.id);
    if (!old || !old->valid_to.empty()) return std::nullopt;
    // What stands for turns stays that, and nothing else becomes it.
    bool const of_turns = old->what.type == "summary";
    if (what.type && (*what.type == "summary") != of_turns) return std::nullopt;
    auto user = users_.find_or_add(user_id);
    new_memory const note{.type = what.type.value_or(old->what.type),
                          .content = what.content.value_or(old->what.content),
                          .most_of_type = what.most_of_type,
                          .lifetime = what.lifetime,
                          .pinned = what.pinned.value_or(old->pinned)};
    bool const only_pinned = note.type == old->what.type && note.content == old->what.content;
    saved_memory saved{old->what.id, old->what.type, old->what.content, "confirmed"};
    if (only_pinned) {
        if (note.pinned != old->pinned) saved.action = "updated";
    } else {
        auto const& analysed = what.content ? text : analyse_memory(texts_, note.content);
        saved =
            memories_.supersede(user, *old, note, analysed, {user_id, old->what.session_id, {}, 0, 0, at});
    }
    if (what.pinned) memories_.pin(saved.id, *what.pinned, at);
    users_.save(user);
    users_.name(user.key, user_id);
    if (saved.id != old->what.id) outdated_.make_anew(user_id, at);
    return changed(user_id, saved, saved.id == old->what.id ? 0 : old->what.id);
}

std::optional<memory_record> curation_queries::restore(std::string const& user_id, std::int64_t id,
                                                       base::wall_time at) {
    auto const past = memories_.find(user_id, id);
    if (!past || past->valid_to.empty()) return past;
    auto user = users_.find_or_add(user_id);
    if (auto const current = memories_.find_current(user_id, past->what.label))
        memories_.end(user, current->what.id, id, at);
    memories_.restore(user, *past, at);
    users_.save(user);
    return memories_.find(user_id, id);
}

std::optional<std::size_t> curation_queries::consolidate(consolidation_task const& task,
                                                         std::vector<consolidation_step> const& steps,
                                                         std::vector<analysed_text> const& texts,
                                                         base::wall_time at) {
    auto user = users_.find(task.user_id);
    if (user.key == 0 || user.seen != task.seen) return std::nullopt;
    memory_origin const origin{task.user_id, {}, consolidation_job, 0, 0, at};
    std::size_t replaced = 0;
    for (std::size_t i = 0; i < steps.size(); ++i)
        replaced += replace(user, steps[i], texts[i], origin);
    users_.save(user);
    consolidated_.run(user.key, base::to_unix_ms(at));
    return replaced;
}

// All or nothing of a step: what was changed since it was proposed makes the proposal void.
std::size_t curation_queries::replace(user_row& user, consolidation_step const& step,
                                      analysed_text const& text, memory_origin const& origin) {
    auto const is_current = [&](std::int64_t id) {
        auto const row = memories_.find(origin.user_id, id);
        return row && row->valid_to.empty() && row->what.type != "summary";
    };
    for (auto const id : step.replaced) {
        if (!is_current(id) || id == step.kept || memories_.find(origin.user_id, id)->pinned) return 0;
    }
    auto by = step.kept;
    if (by != 0 && !is_current(by)) return 0;
    bool const is_new = by == 0;
    if (is_new) by = memories_.add(user, {.type = step.type, .content = step.content}, text, origin).id;
    std::size_t ended = 0;
    for (auto const id : step.replaced) {
        if (id == by) continue;  // it said just that already
        if (is_new) memories_.inherit(by, id);
        memories_.end(user, id, by, origin.at);
        ++ended;
    }
    return ended;
}

}  // namespace engram::store
