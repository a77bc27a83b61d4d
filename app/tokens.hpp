#pragma once

#include "messages/json_reader.hpp"

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// Who may use a node: a file with the hashes of tokens, never the tokens themselves.
namespace rolecall {

/// Each right includes those before it.
enum class access_right : std::uint8_t {
  read,   ///< to look
  submit, ///< to give work, and to cancel it
  admin,  ///< to change the fleet
};
std::string to_string(access_right right);
std::optional<access_right> parse_right(std::string_view text);

/// An entry of the file: {"name","right","sha256"}.
struct token_entry {
  std::string name; ///< for people: whose it is
  access_right right{};
  std::string sha256; ///< of the token, 64 hex digits
};

/// The tokens of a node.
class token_set {
public:
  token_set() = default;
  explicit token_set(std::vector<token_entry> entries) : entries_{std::move(entries)} {}

  /// What a token allows; none if it is not known. Takes as long for one that is nearly right as
  /// for any other.
  std::optional<access_right> right_of(std::string_view token) const;
  const std::vector<token_entry>& entries() const noexcept { return entries_; }

private:
  std::vector<token_entry> entries_;
};

/// The tokens of a node that runs: read by many threads, replaced when the file was read again.
class shared_tokens {
public:
  explicit shared_tokens(token_set tokens) : tokens_{std::move(tokens)} {}

  token_set get() const {
    std::lock_guard guard{mutex_};
    return tokens_;
  }
  void set(token_set tokens) {
    std::lock_guard guard{mutex_};
    tokens_ = std::move(tokens);
  }

private:
  mutable std::mutex mutex_;
  token_set tokens_;
};

/// Reads the text of a token file: {"tokens":[entry...]}. All problems are told.
std::variant<token_set, std::vector<problem>> parse_tokens(std::string_view text);
/// Reads the file itself; problems name it.
std::variant<token_set, std::vector<problem>> load_tokens(const std::string& path);
/// The text of a file with these tokens.
std::string to_text(const token_set& tokens);

/// A token that nobody can guess: 256 bits of chance.
std::string make_token();
std::string hash_of(std::string_view token);

} // namespace rolecall
