#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <utility>

namespace rolecall {

/// A value that many may hold and that is copied once somebody changes it: to hand it on costs a
/// count. Holders may be on different threads; one `shared` is one thread's. T can be made without
/// arguments: that is what an empty one stands for.
template <class T>
class shared {
public:
  shared() = default;
  shared(T value) : box_{new box{std::move(value)}} {} // NOLINT(google-explicit-constructor)

  const T& operator*() const noexcept { return box_ ? box_->value : nothing(); }
  const T* operator->() const noexcept { return &**this; }

  /// The value for whoever changes it: nobody else holds it from here on.
  T& edit() {
    if (!box_)
      box_.reset(new box{T{}});
    else if (box_->use_count() != 1)
      box_.reset(new box{box_->value});
    return box_->value;
  }

  bool operator==(const shared& other) const { return box_ == other.box_ || **this == *other; }

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, shared& x) {
    if constexpr (Inspector::reads_state)
      return f(const_cast<T&>(*x));
    else
      return f(x.edit());
  }

private:
  struct box : boost::intrusive_ref_counter<box> {
    explicit box(T what) : value{std::move(what)} {}
    T value;
  };

  static const T& nothing() {
    static const T none{};
    return none;
  }

  boost::intrusive_ptr<box> box_;
};

} // namespace rolecall
