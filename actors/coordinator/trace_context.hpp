#pragma once

#include <cstdint>
#include <string>

/// W3C Trace Context, as far as tasks need it.
namespace rolecall {

/// Whether a text is a `traceparent` of a form that we know: version, trace, span and flags, with
/// neither of the ids all zeros.
bool is_traceparent(const std::string& text);
std::string make_traceparent(const std::string& trace, const std::string& span);
/// The ids in a traceparent: 32 and 16 hex digits.
std::string trace_in(const std::string& traceparent);
std::string span_in(const std::string& traceparent);

/// 16 hex digits.
std::string hex(std::uint64_t number);

} // namespace rolecall
