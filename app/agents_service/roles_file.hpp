#pragma once

#include "app/agents_service/role.hpp"
#include "messages/json_reader.hpp"

#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

namespace rolecall::agents {

/// Reads the text of a roles file. `folder` is where the file lies, `started_in` the folder in
/// which the service was started; both absolute. Looks at the file system: a command that does not
/// exist or may not be executed, and a directory that is none, are problems. Gives none if there is
/// any.
std::optional<std::vector<role>> read_roles(std::string_view text,
                                            const std::filesystem::path& folder,
                                            const std::filesystem::path& started_in,
                                            std::vector<problem>& problems);

/// Reads a roles file. A file that cannot be read is a problem like any other.
std::optional<std::vector<role>> load_roles_file(const std::filesystem::path& file,
                                                 std::vector<problem>& problems);

/// The example roles that come with rolecall: in the source tree it was built from, otherwise
/// beside the installed program (`<prefix>/share/rolecall/examples/agents/roles.json`). Empty if
/// neither is there.
std::filesystem::path default_roles_file();

} // namespace rolecall::agents
