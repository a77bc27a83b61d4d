#include "app/token_command.hpp"

#include "app/exit_codes.hpp"
#include "app/startup.hpp"
#include "app/token_file.hpp"
#include "app/tokens.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

namespace rolecall {

namespace {

struct token_options {
  std::string file;
  std::string name;
  std::string right{"submit"};
  bool revoke{false};
};

int run_token(const token_options& options) {
  try {
    if (auto wrong = name_problem(options.name, 256))
      refuse("--name: " + *wrong);
    std::error_code error;
    if (std::filesystem::is_directory(options.file, error))
      refuse(options.file + " is a directory, and has to be a file");
    token_file_writer writer{options.file};
    auto present = std::filesystem::exists(options.file, error);
    auto entries = present ? read_tokens(options.file).entries() : std::vector<token_entry>{};
    auto known = std::find_if(entries.begin(), entries.end(),
                              [&](const auto& entry) { return entry.name == options.name; });
    if (options.revoke) {
      if (known == entries.end())
        refuse("no token in " + options.file + " is called \"" + options.name + "\"");
      entries.erase(known);
      writer.replace(to_text(token_set{std::move(entries)}));
      tell("revoked; a node that runs reads the file again on SIGHUP");
      return exit_codes::ok;
    }
    if (known != entries.end())
      refuse("there is a token called \"" + options.name + "\" in " + options.file +
             " already; revoke it first, or take another name");
    auto token = make_token();
    entries.push_back({options.name, *parse_right(options.right), hash_of(token)});
    writer.replace(to_text(token_set{std::move(entries)}));
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
