// Frames out of bytes, however those come.
#include "net/frame_parser.hpp"

#include <catch2/catch.hpp>

#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

using namespace rolecall::net;

namespace {

constexpr std::size_t no_limit = 0xffffffff;

/// All frames of `data`, which is fed in pieces of `piece` bytes.
std::vector<std::string> frames_of(std::string_view data, std::size_t piece) {
  frame_parser parser;
  std::vector<std::string> result;
  while (!data.empty()) {
    auto part = data.substr(0, piece);
    data.remove_prefix(part.size());
    while (!part.empty())
      if (parser.feed(part, no_limit) == frame_parser::progress::frame)
        result.push_back(parser.take());
  }
  CHECK_FALSE(parser.inside());
  return result;
}

/// What this process has mapped.
std::size_t address_space_bytes() {
  std::size_t pages = 0;
  std::ifstream{"/proc/self/statm"} >> pages;
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

} // namespace

TEST_CASE("frames come out as they went in, wherever the bytes are cut") {
  std::vector<std::string> frames{"one", "", std::string(300, 'x'), std::string("\0\xff", 2), ""};
  std::string bytes;
  for (const auto& frame : frames)
    append_frame(bytes, frame);
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece)
    CHECK(frames_of(bytes, piece) == frames);
}

TEST_CASE("a frame begins with its length in four bytes, the greatest first") {
  std::string bytes;
  append_frame(bytes, std::string(0x10203, 'x'));
  CHECK(bytes.substr(0, 5) == std::string("\0\1\2\3x", 5));
}

TEST_CASE("a frame may be as large as the limit, and not a byte larger") {
  std::string bytes;
  append_frame(bytes, "12345");
  for (std::size_t limit : {std::size_t{5}, std::size_t{4}}) {
    frame_parser parser;
    std::string_view data{bytes};
    auto fits = limit == 5;
    CHECK(parser.feed(data, limit) ==
          (fits ? frame_parser::progress::frame : frame_parser::progress::too_large));
    CHECK(parser.announced() == 5);
  }
}

TEST_CASE("the limit of a frame is the one when its head was complete") {
  std::string bytes;
  append_frame(bytes, "12345");
  frame_parser parser;
  std::string_view data = std::string_view{bytes}.substr(0, 6);
  CHECK(parser.feed(data, 5) == frame_parser::progress::need_more);
  data = std::string_view{bytes}.substr(6);
  CHECK(parser.feed(data, 1) == frame_parser::progress::frame);
  CHECK(parser.take() == "12345");
}

TEST_CASE("a length that is only announced takes no memory") {
  auto before = address_space_bytes();
  frame_parser parser;
  std::string_view data{"\x7f\xff\xff\xffstart", 9};
  CHECK(parser.feed(data, no_limit) == frame_parser::progress::need_more);
  CHECK(parser.announced() == 0x7fffffff);
  CHECK(parser.inside());
  CHECK(address_space_bytes() - before < (1u << 30));
}
