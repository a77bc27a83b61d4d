#include "messages/json_writer.hpp"

#include "messages/json_codec.hpp"

#include <algorithm>

namespace rolecall {

namespace {

bool is_plain(std::string_view text) {
  // Without a way out, so that the compiler looks at many of them at a time.
  unsigned char others = 0;
  for (auto c : text)
    others |= static_cast<unsigned char>(!is_plain_in_json(c));
  return others == 0;
}

/// Appends so many characters, and gives where they are to be written.
char* grow(std::string& text, std::size_t by) {
  auto size = text.size();
  text.resize(size + by);
  return text.data() + size;
}

} // namespace

void append_json(std::string& text, std::string_view value) {
  if (!is_plain(value)) {
    text += dump(nlohmann::json(value));
    return;
  }
  auto* at = grow(text, value.size() + 2);
  *at++ = '"';
  at = std::copy(value.begin(), value.end(), at);
  *at = '"';
}

void object_writer::add(json_key key, std::string_view value) {
  append_json(add_key(key), value);
}

void object_writer::add_or_null(json_key key, std::string_view value) {
  if (value.empty())
    add_json(key, "null");
  else
    add(key, value);
}

void object_writer::add_json(json_key key, std::string_view value) {
  add_key(key) += value;
}

std::string& object_writer::add_key(json_key key) {
  auto name = key.text();
  auto* at = grow(text_, name.size() + (first_ ? 3 : 4));
  if (!first_)
    *at++ = ',';
  first_ = false;
  *at++ = '"';
  at = std::copy(name.begin(), name.end(), at);
  *at++ = '"';
  *at = ':';
  return text_;
}

std::string& object_writer::add_name(std::string_view name) {
  if (!first_)
    text_ += ',';
  first_ = false;
  append_json(text_, name);
  text_ += ':';
  return text_;
}

std::string& array_writer::add() {
  if (!first_)
    text_ += ',';
  first_ = false;
  return text_;
}

} // namespace rolecall
