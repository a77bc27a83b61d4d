#include "messages/json_writer.hpp"

#include "messages/json_codec.hpp"

#include <algorithm>

namespace rolecall {

void append_json(std::string& text, std::string_view value) {
  auto is_plain = [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; };
  if (!std::all_of(value.begin(), value.end(), is_plain)) {
    text += dump(nlohmann::json(value));
    return;
  }
  text += '"';
  text += value;
  text += '"';
}

void object_writer::add(std::string_view key, std::string_view value) {
  append_json(add_key(key), value);
}

void object_writer::add_or_null(std::string_view key, std::string_view value) {
  if (value.empty())
    add_json(key, "null");
  else
    add(key, value);
}

void object_writer::add_json(std::string_view key, std::string_view value) {
  add_key(key) += value;
}

std::string& object_writer::add_key(std::string_view key) {
  if (!first_)
    text_ += ',';
  first_ = false;
  append_json(text_, key);
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
