#pragma once

#include "app/docs/command_doc.hpp"

#include <string>

/// Documents that are made from the commands themselves, so that they cannot be wrong about them.
namespace rolecall::docs {

/// A manual page in the language of groff's man macros.
std::string man_page(const command_doc& program);

/// The reference of all commands.
std::string markdown(const command_doc& program);

/// Scripts that complete the program's words in a shell.
std::string bash_completion(const command_doc& program);
std::string zsh_completion(const command_doc& program);
std::string fish_completion(const command_doc& program);

} // namespace rolecall::docs
