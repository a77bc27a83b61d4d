#include "app/api/embedded.hpp"

#include <algorithm>

namespace rolecall::api {

const embedded_file* embedded(std::string_view name) {
  const auto& all = embedded_files();
  auto found =
      std::find_if(all.begin(), all.end(), [&](const auto& file) { return file.name == name; });
  return found == all.end() ? nullptr : &*found;
}

} // namespace rolecall::api
