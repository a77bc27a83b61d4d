#include "app/docs/docs_commands.hpp"

#include "app/docs/render.hpp"
#include "app/exit_codes.hpp"

#include <cstdio>
#include <memory>

namespace rolecall {

namespace {

int print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  return std::fflush(stdout) == 0 ? exit_codes::ok : exit_codes::failure;
}

std::string completion_for(const std::string& shell, const docs::command_doc& program) {
  if (shell == "zsh")
    return docs::zsh_completion(program);
  return shell == "fish" ? docs::fish_completion(program) : docs::bash_completion(program);
}

} // namespace

void add_docs_commands(CLI::App& app, std::function<int()>& run) {
  auto shell = std::make_shared<std::string>();
  auto* completion = app.add_subcommand("completion", "Prints a script that completes rolecall's "
                                                      "words in a shell");
  completion->add_option("SHELL", *shell, "The shell")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completion->callback([shell, &app, &run] {
    run = [shell, &app] { return print(completion_for(*shell, docs::describe(app))); };
  });
  auto as_markdown = std::make_shared<bool>(false);
  auto* man = app.add_subcommand("man", "Prints the manual page (rolecall man | man -l -)");
  man->add_flag("--markdown", *as_markdown, "The reference in Markdown instead")->group("");
  man->callback([as_markdown, &app, &run] {
    run = [as_markdown, &app] {
      auto program = docs::describe(app);
      return print(*as_markdown ? docs::markdown(program) : docs::man_page(program));
    };
  });
}

} // namespace rolecall
