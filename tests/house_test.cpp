// The rules of the house, kept by a test instead of a document.
#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

const fs::path root{ROLECALL_SOURCE_DIR};
const std::set<std::string> source_folders{"messages", "net", "actors", "app", "tests", "bench"};

struct source_file {
  std::string name; // relative to the root
  std::string folder;
  std::vector<std::string> lines;
};

bool is_source(const fs::path& path) {
  static const std::set<std::string> endings{".cpp", ".hpp", ".py", ".sh", ".cmake", ".js", ".css"};
  return endings.contains(path.extension().string()) || path.filename() == "CMakeLists.txt";
}

std::vector<source_file> sources() {
  std::vector<source_file> result;
  auto add = [&](const fs::path& path) {
    auto relative = fs::relative(path, root);
    source_file file{relative.string(), relative.begin()->string(), {}};
    std::ifstream in{path};
    for (std::string line; std::getline(in, line);)
      file.lines.push_back(line);
    result.push_back(std::move(file));
  };
  for (const auto& folder : source_folders)
    if (fs::exists(root / folder))
      for (const auto& entry : fs::recursive_directory_iterator{root / folder})
        if (entry.is_regular_file() && is_source(entry.path()))
          add(entry.path());
  add(root / "dev");
  add(root / "CMakeLists.txt");
  return result;
}

std::vector<std::string> includes_of(const source_file& file) {
  static const std::regex ours{R"(^\s*#\s*include\s*"([a-z_]+)/.*)"};
  std::vector<std::string> result;
  std::smatch match;
  for (const auto& line : file.lines)
    if (std::regex_match(line, match, ours))
      result.push_back(match[1]);
  return result;
}

} // namespace

TEST_CASE("the arrows between folders run one way") {
  const std::map<std::string, std::set<std::string>> may_include{
      {"messages", {"messages"}},
      {"net", {"net"}},
      {"actors", {"actors", "messages", "net"}},
      {"app", {"app", "actors", "messages", "net"}},
  };
  for (const auto& file : sources()) {
    auto rule = may_include.find(file.folder);
    if (rule == may_include.end())
      continue;
    for (const auto& target : includes_of(file)) {
      INFO(file.name << " includes " << target << "/");
      CHECK(rule->second.contains(target));
    }
  }
}

TEST_CASE("actors know the HTTP client's interface, links, the digest, and nothing else of net") {
  const std::set<std::string> allowed{"net/http.hpp", "net/http_client.hpp", "net/sha256.hpp",
                                      "net/frame_dial.hpp"};
  static const std::regex net{R"(^\s*#\s*include\s*"(net/[^"]+)\".*)"};
  std::smatch match;
  for (const auto& file : sources())
    if (file.folder == "actors")
      for (const auto& line : file.lines)
        if (std::regex_match(line, match, net)) {
          INFO(file.name << ": " << line);
          CHECK(allowed.contains(match[1]));
        }
}

TEST_CASE("net knows no actor, and pure cores know neither CAF nor Asio") {
  static const std::regex caf{R"(^\s*#\s*include\s*[<"]caf/.*)"};
  static const std::regex asio{R"(^\s*#\s*include\s*[<"]boost/(?!smart_ptr/).*)"};
  for (const auto& file : sources()) {
    // In actors/, the shell of an actor is called *_actor; everything else is a pure core.
    auto pure = file.folder == "actors" && file.name.find("_actor.") == std::string::npos;
    for (const auto& line : file.lines) {
      INFO(file.name << ": " << line);
      if (file.folder == "net" || pure)
        CHECK_FALSE(std::regex_match(line, caf));
      if (file.folder == "actors" || file.folder == "messages")
        CHECK_FALSE(std::regex_match(line, asio));
    }
  }
}

TEST_CASE("no source file is longer than 400 lines") {
  for (const auto& file : sources()) {
    INFO(file.name << " has " << file.lines.size() << " lines");
    CHECK(file.lines.size() <= 400);
  }
}

TEST_CASE("no file carries a left-over mark") {
  // Spelled apart, so that this file does not find itself.
  const std::regex mark{std::string{"\\b(FIX"} + "ME|TO" + "DO|XX" + "X|HA" + "CK)\\b"};
  for (const auto& file : sources())
    for (const auto& line : file.lines) {
      INFO(file.name << ": " << line);
      CHECK_FALSE(std::regex_search(line, mark));
    }
}

TEST_CASE("tests do not sleep") {
  const std::regex sleeping{std::string{"sleep_"} + "(for|until)|\\busleep\\("};
  for (const auto& file : sources())
    if (file.folder == "tests")
      for (const auto& line : file.lines) {
        INFO(file.name << ": " << line);
        CHECK_FALSE(std::regex_search(line, sleeping));
      }
}
