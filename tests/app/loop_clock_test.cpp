// Timeouts and delayed messages of actors on an event loop.
#include "tests/app/loop_system.hpp"

#include <thread>

using namespace rolecall;
using namespace rolecall::tests;
using namespace std::chrono_literals;

namespace {

loop_clock& clock_of(loop_system& all) {
  return dynamic_cast<loop_clock&>(all.system->clock());
}

} // namespace

TEST_CASE("delayed messages go out in the order of their times") {
  std::promise<std::vector<int>> seen;
  loop_system all;
  auto actor = all.system->spawn([&](caf::event_based_actor* self) -> caf::behavior {
    auto soon = self->clock().now() + 1ms;
    for (int number : {3, 2, 1})
      self->clock().schedule_message(
          soon + number * 1us, self->ctrl(),
          caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, number));
    auto so_far = std::make_shared<std::vector<int>>();
    return {[&, self, so_far](int number) {
      so_far->push_back(number);
      if (so_far->size() < 3)
        return;
      seen.set_value(*so_far);
      self->quit();
    }};
  });
  CHECK(get(seen) == std::vector{1, 2, 3});
  CHECK(clock_of(all).pending() == 0);
}

TEST_CASE("a request that nobody answers fails with its timeout, and an earlier one first") {
  std::promise<std::vector<int>> failed;
  loop_system all;
  auto silent = all.system->spawn([](caf::event_based_actor* self) -> caf::behavior {
    self->set_default_handler(caf::drop);
    return {[=](int) -> caf::result<int> { return self->make_response_promise<int>(); }};
  });
  auto so_far = std::make_shared<std::vector<int>>();
  auto asking = all.system->spawn([&](caf::event_based_actor* self) {
    for (auto patience : {2'000ms, 1ms})
      self->request(silent, patience, 1)
          .then([](int) {},
                [&, so_far, patience](caf::error& error) {
                  auto timed_out = error == caf::sec::request_timeout;
                  so_far->push_back(timed_out ? static_cast<int>(patience.count()) : -1);
                  if (so_far->size() == 2)
                    failed.set_value(*so_far);
                });
  });
  CHECK(get(failed) == std::vector{1, 2'000});
  caf::anon_send_exit(silent, caf::exit_reason::user_shutdown);
}

TEST_CASE("a far time that another thread asks for does not put off a near one") {
  std::promise<int> first;
  loop_system all;
  all.system->spawn([&](caf::event_based_actor* self) -> caf::behavior {
    auto send = [self](std::chrono::milliseconds in, int number) {
      self->clock().schedule_message(
          self->clock().now() + in, self->ctrl(),
          caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, number));
    };
    std::thread{[&] { send(60min, 2); }}.join(); // its word is on the way to this loop
    send(1ms, 1);
    return {[&, self](int number) {
      first.set_value(number);
      self->quit();
    }};
  });
  CHECK(get(first) == 1);
}

TEST_CASE("an answer cancels the timeout of its request") {
  std::promise<int> sum;
  loop_system all;
  auto adder = all.system->spawn([](caf::event_based_actor*) -> caf::behavior {
    return {[](int a, int b) { return a + b; }};
  });
  auto total = std::make_shared<int>(0);
  all.system->spawn([&, total](caf::event_based_actor* self) {
    for (int i = 0; i < 100; ++i)
      self->request(adder, 60min, i, 1).then([&, total, i](int result) {
        *total += result;
        if (i == 99)
          sum.set_value(*total);
      });
  });
  CHECK(get(sum) == 5'050);
  caf::anon_send_exit(adder, caf::exit_reason::user_shutdown);
  all.system->await_all_actors_done();
  CHECK(clock_of(all).pending() == 0);
}

TEST_CASE("the end of an actor takes its timeouts with it") {
  std::promise<std::size_t> while_there;
  loop_system all;
  auto silent = all.system->spawn([](caf::event_based_actor* self) -> caf::behavior {
    return {[=](int) -> caf::result<int> { return self->make_response_promise<int>(); }};
  });
  all.system->spawn([&](caf::event_based_actor* self) {
    for (int i = 0; i < 10; ++i)
      self->request(silent, 60min, i).then([](int) {});
    while_there.set_value(clock_of(all).pending());
    self->quit();
  });
  CHECK(get(while_there) == 10);
  caf::anon_send_exit(silent, caf::exit_reason::user_shutdown);
  all.system->await_all_actors_done();
  CHECK(clock_of(all).pending() == 0);
}

TEST_CASE("a receive timeout that is set anew replaces the one before") {
  std::promise<std::size_t> pending;
  loop_system all;
  all.system->spawn([&](caf::event_based_actor* self) -> caf::behavior {
    for (int i = 0; i < 5; ++i)
      self->send(self, i);
    return {[&, self](int number) {
              if (number < 4)
                return;
              pending.set_value(clock_of(all).pending());
              self->quit();
            },
            caf::after(60min) >> [] {}};
  });
  CHECK(get(pending) <= 1);
}
