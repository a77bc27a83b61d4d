#pragma once

#include "messages/journal.hpp"

#include <string>
#include <string_view>

/// What of a task stands in the journal's rows, as JSON; its payloads have columns of their own.
/// Members that are missing have their initial values, unknown ones are ignored: so a journal can
/// be read by other versions.
namespace rolecall {

/// What does not change: the spec without its input, and when it was accepted.
std::string encode_accepted(const journal_entry& entry);
/// What changes: without the output.
std::string encode_progress(const journal_entry& entry);

/// Fill in an entry; give false if the text is not what `encode_...` writes.
bool decode_accepted(std::string_view text, journal_entry& into);
bool decode_progress(std::string_view text, journal_entry& into);

} // namespace rolecall
