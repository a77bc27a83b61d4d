#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// W3C Trace Context, as far as tasks need it.
namespace rolecall {

/// Whether a text is a `traceparent` of a form that we know: version, trace, span and flags, with
/// neither of the ids all zeros.
bool is_traceparent(std::string_view text);
std::string make_traceparent(std::string_view trace, std::string_view span);
/// The ids in a traceparent, as parts of it: 32 and 16 hex digits.
std::string_view trace_in(std::string_view traceparent);
std::string_view span_in(std::string_view traceparent);

/// 16 hex digits.
std::string hex(std::uint64_t number);

} // namespace rolecall
