// The documents that are made from the commands, and the scripts for shells.
#include "tests/app/client_fixture.hpp"

using namespace rolecall::tests;

namespace {

std::string output_of(std::vector<std::string> arguments) {
  program child{std::move(arguments)};
  auto got = ended(child);
  CHECK(got.code == 0);
  CHECK(got.errors.empty());
  return got.output;
}

std::string committed(const std::string& name) {
  std::ifstream in{std::string{ROLECALL_SOURCE_DIR} + "/docs/" + name};
  return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace

TEST_CASE("the committed documents are those that the program writes") {
  // If not: rolecall man > docs/rolecall.1; rolecall man --markdown > docs/cli.md
  CHECK(committed("rolecall.1") == output_of({"man"}));
  CHECK(committed("cli.md") == output_of({"man", "--markdown"}));
}

TEST_CASE("bash completes commands, options and values") {
  folder here;
  here.write("completion", output_of({"completion", "bash"}));
  auto complete = [&](const std::string& words) {
    auto script = "source " + here.path("completion") + "; COMP_WORDS=(" + words +
                  "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _rolecall; echo \"${COMPREPLY[@]}\"";
    program child{"bash", {"-c", script}};
    auto got = ended(child);
    CHECK(got.errors.empty());
    return got.output;
  };
  CHECK(complete("rolecall su") == "submit\n");
  CHECK(complete("rolecall list --la") == "--label\n");
  CHECK(complete("rolecall agents --state ''") == "ready draining unhealthy\n");
  CHECK(complete("rolecall completion f") == "fish\n");
  CHECK(complete("rolecall list --role ''") == "\n");
  CHECK(complete("rolecall submit " + here.path("comp")) == here.path("completion") + "\n");
}

TEST_CASE("every command is in the documents and in each shell's script") {
  auto man = output_of({"man"});
  auto zsh = output_of({"completion", "zsh"});
  auto fish = output_of({"completion", "fish"});
  for (const std::string name :
       {"run", "submit", "get", "list", "watch", "top", "agents", "man", "export", "simulate"}) {
    CHECK(man.find("rolecall " + name + " [OPTIONS]") != std::string::npos);
    CHECK(zsh.find("    " + name + ") _arguments") != std::string::npos);
    CHECK(fish.find("-a " + name + " -d ") != std::string::npos);
  }
  CHECK(man.find("die\\-with\\-parent") == std::string::npos); // what is hidden stays so
  program wrong{{"completion", "tcsh"}};
  CHECK(ended(wrong).code == 2);
}
