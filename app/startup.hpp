#pragma once

#include "app/bundled_service.hpp"
#include "app/config.hpp"
#include "app/node.hpp"
#include "app/tokens.hpp"

#include <functional>
#include <memory>
#include <string>

/// What commands that run a node do before it runs.
namespace rolecall {

/// The input is wrong, and somebody has been told so.
struct wrong_input {};

/// A line on stderr.
void tell(const std::string& text);
/// Tell what is wrong, and throw `wrong_input`. `source` is the file it is in.
[[noreturn]] void refuse(const std::string& source, const std::vector<problem>& problems);
[[noreturn]] void refuse(const std::string& text);

/// The text of a file; "-" is stdin. Refuses what cannot be read, or is over 256 MiB.
std::string read_input(const std::string& file);

/// The configuration in a file, or the default if its name is empty. Refuses one that is wrong.
config load_config(const std::string& file);

/// Opens a journal and reads it; none if the name of its file is empty. Refuses one that cannot be
/// used.
opened_journal open_journal(const std::string& file);

/// The tokens in a file. Refuses one that cannot be read, or is wrong.
token_set read_tokens(const std::string& file);

/// Starts the bundled agents service, and makes `settings` name it, if its roles are given, or if
/// the configuration is the default and nothing answers at its service. `note` is told. Null if it
/// is not needed. Refuses roles that cannot be used.
std::unique_ptr<bundled_service> start_bundled(const std::string& roles_file,
                                               bool configuration_is_default, config& settings,
                                               const std::function<void(const std::string&)>& note);

} // namespace rolecall
