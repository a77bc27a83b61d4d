#pragma once

#include "tests/app/program_fixture.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <string>

namespace rolecall::tests {

/// A folder of its own for a test, removed at its end.
class folder {
public:
  folder() {
    auto pattern = (std::filesystem::temp_directory_path() / "rolecall-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()));
    path_ = pattern;
  }
  ~folder() { std::filesystem::remove_all(path_); }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream{path_ / name, std::ios::binary} << text;
    return (path_ / name).string();
  }
  std::string path(const std::string& name = "") const { return (path_ / name).string(); }

private:
  std::filesystem::path path_;
};

/// What a run that has ended gave.
struct ended_run {
  int code;
  std::string output;
  std::string errors;

  nlohmann::json report() const {
    INFO(errors);
    return nlohmann::json::parse(output);
  }
};

inline ended_run run_to_end(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "run");
  program child{std::move(arguments)};
  auto output = child.rest_of_output(); // to its end, and so to the child's
  auto code = child.exit_code();
  return {code, std::move(output), child.errors()};
}

} // namespace rolecall::tests
