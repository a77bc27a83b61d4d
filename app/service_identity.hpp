#pragma once

#include <string>

namespace rolecall {

/// Under what nodes recognise that they have the same agents service: its URL, and if that is one
/// of the loopback interface, the machine and its network namespace too.
std::string service_identity(const std::string& url);

} // namespace rolecall
