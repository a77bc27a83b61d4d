#include "app/tokens.hpp"

#include "app/config.hpp"
#include "app/random_id.hpp"
#include "messages/json_codec.hpp"
#include "net/sha256.hpp"

#include <openssl/crypto.h>

namespace rolecall {

std::string to_string(access_right right) {
  switch (right) {
  case access_right::read: return "read";
  case access_right::submit: return "submit";
  case access_right::admin: return "admin";
  }
  return "unknown";
}

std::optional<access_right> parse_right(std::string_view text) {
  for (auto right : {access_right::read, access_right::submit, access_right::admin})
    if (to_string(right) == text)
      return right;
  return std::nullopt;
}

std::optional<access_right> token_set::right_of(std::string_view token) const {
  auto hash = hash_of(token);
  std::optional<access_right> result;
  for (const auto& entry : entries_) // all of them, whatever the first ones say
    if (entry.sha256.size() == hash.size() &&
        CRYPTO_memcmp(entry.sha256.data(), hash.data(), hash.size()) == 0)
      result = entry.right;
  return result;
}

std::variant<token_set, std::vector<problem>> parse_tokens(std::string_view text) {
  std::vector<problem> problems;
  std::vector<token_entry> entries;
  auto value = parse_json(text, {16u << 20, 16}, problems);
  if (!value)
    return problems;
  object_reader root{*value, "", problems};
  root.required("tokens");
  if (const auto* tokens = root.array("tokens"))
    for (std::size_t i = 0; i < tokens->size(); ++i) {
      object_reader object{(*tokens)[i], "/tokens/" + std::to_string(i), problems};
      token_entry entry;
      entry.name = object.required_name("name").value_or("");
      entry.sha256 = object.required_name("sha256").value_or("");
      if (!entry.sha256.empty() &&
          (entry.sha256.size() != 64 ||
           entry.sha256.find_first_not_of("0123456789abcdef") != std::string::npos))
        object.complain("sha256", "must be 64 hex digits in lower case, as `rolecall token` makes");
      if (auto right = object.required_name("right")) {
        if (auto parsed = parse_right(*right))
          entry.right = *parsed;
        else
          object.complain("right", "must be read, submit or admin, not \"" + *right + "\"");
      }
      object.finish();
      entries.push_back(std::move(entry));
    }
  root.finish();
  if (!problems.empty())
    return problems;
  return token_set{std::move(entries)};
}

std::variant<token_set, std::vector<problem>> load_tokens(const std::string& path) {
  auto text = read_file(path, 16u << 20);
  if (const auto* wrong = std::get_if<1>(&text))
    return std::vector<problem>{{"", *wrong}};
  auto result = parse_tokens(std::get<0>(text));
  if (auto* problems = std::get_if<std::vector<problem>>(&result))
    for (auto& each : *problems)
      each.where = path + (each.where.empty() ? "" : ": " + each.where);
  return result;
}

std::string to_text(const token_set& tokens) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& entry : tokens.entries())
    list.push_back(
        {{"name", entry.name}, {"right", to_string(entry.right)}, {"sha256", entry.sha256}});
  return dump(nlohmann::ordered_json{{"tokens", std::move(list)}}, 2) + "\n";
}

std::string make_token() {
  return "rc_" + random_hex(64);
}

std::string hash_of(std::string_view token) {
  return net::sha256_hex(token);
}

} // namespace rolecall
