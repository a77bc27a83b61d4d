// HTTP requests at a fixed rate, however long their answers take (an open loop), or so many at a
// time. An answer's time counts from the moment at which its request was due, so that a server that
// holds requests up does not hide it by being asked less.
#include "net/pooled_http_client.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <functional>

using namespace rolecall;
using clock_type = std::chrono::steady_clock;

namespace {

struct options {
  std::string url;
  std::string body;
  double rate{0};
  std::size_t in_flight{1};
  double seconds{3};
};

class load {
public:
  load(boost::asio::io_context& context, const options& settings)
      : settings_{settings},
        context_{context},
        client_{context, client_options()},
        timer_{context},
        body_{std::make_shared<const std::string>(settings.body)},
        begin_{clock_type::now()},
        end_{begin_ + std::chrono::duration_cast<clock_type::duration>(
                          std::chrono::duration<double>(settings.seconds))} {}

  void start() {
    if (settings_.rate > 0)
      return send_due();
    for (std::size_t i = 0; i < settings_.in_flight; ++i)
      send(clock_type::now());
  }

  nlohmann::json result() {
    std::sort(took_us_.begin(), took_us_.end());
    auto at = [&](double share) {
      return took_us_.empty() ? 0
                              : took_us_[static_cast<std::size_t>(
                                    share * static_cast<double>(took_us_.size() - 1))] /
                                    1e3;
    };
    auto seconds = std::chrono::duration<double>(last_ - begin_).count();
    return {{"per_second", static_cast<double>(took_us_.size()) / seconds},
            {"p50_ms", at(0.5)},
            {"p99_ms", at(0.99)},
            {"p999_ms", at(0.999)},
            {"max_ms", at(1)},
            {"errors", errors_}};
  }

private:
  static net::http_client_options client_options() {
    net::http_client_options result;
    result.max_connections_per_origin = 8'192;
    return result;
  }

  void send_due() {
    auto interval = std::chrono::duration_cast<clock_type::duration>(
        std::chrono::duration<double>(1 / settings_.rate));
    for (auto due = begin_ + interval * sent_; due <= clock_type::now() && due < end_;
         due = begin_ + interval * sent_)
      send(due);
    auto next = begin_ + interval * sent_;
    if (next >= end_)
      return;
    timer_.expires_at(next);
    timer_.async_wait([this](const boost::system::error_code&) { send_due(); });
  }

  void send(clock_type::time_point due) {
    ++sent_;
    net::http_request request;
    request.method = "POST";
    request.url = settings_.url;
    request.headers = {{"Content-Type", "application/json"}};
    request.body = body_;
    client_.start(std::move(request), [this, due](const net::http_result& result) {
      last_ = clock_type::now();
      const auto* answer = std::get_if<net::http_response>(&result);
      errors_ += answer && answer->status / 100 == 2 ? 0 : 1;
      took_us_.push_back(std::chrono::duration<double, std::micro>(last_ - due).count());
      if (settings_.rate <= 0 && last_ < end_)
        send(last_);
      else if (last_ >= end_ && static_cast<std::size_t>(sent_) == took_us_.size())
        context_.stop(); // idle connections would keep it
    });
  }

  const options& settings_;
  boost::asio::io_context& context_;
  net::pooled_http_client client_;
  boost::asio::steady_timer timer_;
  std::shared_ptr<const std::string> body_;
  clock_type::time_point begin_;
  clock_type::time_point end_;
  clock_type::time_point last_{};
  long sent_{0};
  std::size_t errors_{0};
  std::vector<double> took_us_;
};

} // namespace

int main(int argc, char** argv) {
  options settings;
  CLI::App app{"HTTP requests at a fixed rate, or so many at a time"};
  app.add_option("--url", settings.url, "Where to")->required();
  app.add_option("--body", settings.body, "JSON")->required();
  app.add_option("--rate", settings.rate, "So many a second; 0: --in-flight at a time");
  app.add_option("--in-flight", settings.in_flight, "How many at a time");
  app.add_option("--seconds", settings.seconds, "For how long")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  boost::asio::io_context context{1};
  load all{context, settings};
  all.start();
  context.run();
  std::printf("%s\n", all.result().dump().c_str());
}
