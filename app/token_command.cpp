#include "app/token_command.hpp"

#include "app/exit_codes.hpp"
#include "app/startup.hpp"
#include "app/tokens.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace rolecall {

namespace {

struct token_options {
  std::string file;
  std::string name;
  std::string right{"submit"};
  bool revoke{false};
};

/// What is in the file, or nothing if there is none yet.
token_set present_tokens(const std::string& file) {
  if (::access(file.c_str(), F_OK) != 0)
    return {};
  auto tokens = load_tokens(file);
  if (const auto* problems = std::get_if<std::vector<problem>>(&tokens)) {
    for (const auto& each : *problems)
      tell(to_text(each));
    throw wrong_input{};
  }
  return std::get<token_set>(std::move(tokens));
}

/// Writes the file anew, all of it or nothing: a node may read it meanwhile. Whoever could read it
/// before still can; a new one is for its owner alone.
void replace(const std::string& file, const std::string& text) {
  auto fresh = file + ".new";
  auto fail = [&](const char* what) {
    auto why = std::strerror(errno);
    ::unlink(fresh.c_str());
    throw std::runtime_error{"cannot " + std::string{what} + " " + fresh + ": " + why};
  };
  auto descriptor = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0)
    fail("write");
  struct stat before {};
  if (::stat(file.c_str(), &before) == 0 &&
      (::fchown(descriptor, before.st_uid, before.st_gid) != 0 ||
       ::fchmod(descriptor, before.st_mode & 0777) != 0)) {
    ::close(descriptor);
    fail("keep the owner and the mode of");
  }
  auto written = ::write(descriptor, text.data(), text.size());
  auto good = written == static_cast<ssize_t>(text.size()) && ::fsync(descriptor) == 0;
  good = ::close(descriptor) == 0 && good;
  if (!good)
    fail("write");
  if (::rename(fresh.c_str(), file.c_str()) != 0)
    fail("rename");
}

int run_token(const token_options& options) {
  try {
    if (auto wrong = name_problem(options.name, 256))
      refuse("--name: " + *wrong);
    auto entries = present_tokens(options.file).entries();
    auto known = std::find_if(entries.begin(), entries.end(),
                              [&](const auto& entry) { return entry.name == options.name; });
    if (options.revoke) {
      if (known == entries.end())
        refuse("no token in " + options.file + " is called \"" + options.name + "\"");
      entries.erase(known);
      replace(options.file, to_text(token_set{std::move(entries)}));
      tell("revoked; a node that runs reads the file again on SIGHUP");
      return exit_codes::ok;
    }
    if (known != entries.end())
      refuse("there is a token called \"" + options.name + "\" in " + options.file +
             " already; revoke it first, or take another name");
    auto token = make_token();
    entries.push_back({options.name, *parse_right(options.right), hash_of(token)});
    replace(options.file, to_text(token_set{std::move(entries)}));
    tell("the token is on the next line and nowhere else: only its hash is kept, in " +
         options.file + "; a node that runs reads the file again on SIGHUP");
    std::printf("%s\n", token.c_str());
    return std::fflush(stdout) == 0 ? exit_codes::ok : exit_codes::failure;
  } catch (const wrong_input&) {
    return exit_codes::wrong_input;
  }
}

} // namespace

void add_token_command(CLI::App& app, std::function<int()>& run) {
  auto options = std::make_shared<token_options>();
  auto* command = app.add_subcommand(
      "token", "Makes a token for a node's API, and keeps its hash in a file (api.tokens)");
  command->add_option("FILE", options->file, "The token file; made if it is not there")->required();
  command->add_option("--name", options->name, "Whose it is")->required();
  auto* right = command
                    ->add_option("--right", options->right,
                                 "What it allows: read, submit (and read), admin (everything)")
                    ->check(CLI::IsMember({"read", "submit", "admin"}))
                    ->capture_default_str();
  command->add_flag("--revoke", options->revoke, "Removes the token with that name")
      ->excludes(right);
  command->callback([options, &run] { run = [options] { return run_token(*options); }; });
}

} // namespace rolecall
