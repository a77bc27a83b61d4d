#include "app/run/result_files.hpp"

#include "messages/json_codec.hpp"
#include "net/http.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

namespace rolecall {

std::string result_file_name(const task_id& id) {
  auto name = net::encode_path_segment(id.str());
  if (name.front() == '.') // neither "." nor "..", nor hidden
    name.replace(0, 1, "%2E");
  constexpr std::size_t longest = 200; // file systems end at 255 bytes
  if (name.size() > longest)
    name = name.substr(0, longest - 17) + "-" +
           std::to_string(std::hash<std::string>{}(id.str()) % 10'000'000'000'000'000);
  return name + ".json";
}

std::optional<std::string> prepare_results(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    return "cannot make the folder " + folder.string() + ": " + error.message();
  return std::nullopt;
}

std::optional<std::string> write_result(const std::filesystem::path& folder,
                                        const task_record& task) {
  auto path = folder / result_file_name(task.id);
  auto partial = path;
  partial += ".part";
  errno = 0;
  std::ofstream out{partial, std::ios::binary | std::ios::trunc};
  out << dump(to_json(task), 2) << '\n';
  out.close();
  std::error_code error;
  if (out)
    std::filesystem::rename(partial, path, error);
  if (out && !error)
    return std::nullopt;
  auto why = error ? error.message() : std::string{std::strerror(errno)};
  std::filesystem::remove(partial, error);
  return "cannot write " + path.string() + ": " + why;
}

} // namespace rolecall
