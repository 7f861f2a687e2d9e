#pragma once

#include <cstdint>
#include <string>

#include "shop.pb.h"

/// Commands and events, short.
namespace shop::test {

template <class Message>
Message item(const std::string& sku, std::int64_t quantity, std::int64_t price) {
    Message message;
    message.set_sku(sku);
    message.set_quantity(quantity);
    message.set_price_mills(price);
    return message;
}
inline AddItem add(const std::string& sku, std::int64_t quantity, std::int64_t price = 1000) {
    return item<AddItem>(sku, quantity, price);
}
inline ItemAdded added(const std::string& sku, std::int64_t quantity, std::int64_t price = 1000) {
    return item<ItemAdded>(sku, quantity, price);
}
inline RemoveItem remove(const std::string& sku, std::int64_t quantity, std::int64_t price = 1000) {
    return item<RemoveItem>(sku, quantity, price);
}
inline ItemRemoved removed(const std::string& sku, std::int64_t quantity,
                           std::int64_t price = 1000) {
    return item<ItemRemoved>(sku, quantity, price);
}
inline CheckOut check_out(const std::string& order) {
    CheckOut command;
    command.set_order_id(order);
    return command;
}
inline CheckedOut checked_out(const std::string& order) {
    CheckedOut event;
    event.set_order_id(order);
    return event;
}

template <class Message>
Message units(std::int64_t units) {
    Message message;
    message.set_sku("mug");
    message.set_units(units);
    return message;
}
template <class Message>
Message reservation(const std::string& name, std::int64_t count) {
    auto message = units<Message>(count);
    message.set_reservation(name);
    return message;
}
inline ReleaseStock release(const std::string& name) {
    ReleaseStock command;
    command.set_sku("mug");
    command.set_reservation(name);
    return command;
}
template <class Message>
Message change(std::int64_t by) {
    Message message;
    message.set_sku("mug");
    message.set_change(by);
    message.set_reason("damaged");
    return message;
}

inline PlaceOrder place() {
    PlaceOrder command;
    command.set_order_id("o-1");
    command.set_customer("17850");
    command.set_country("EIRE");
    *command.add_lines() = item<Line>("mug", 2, 1500);
    *command.add_lines() = item<Line>("mug", 1, 1);
    return command;
}
inline OrderPlaced placed() {
    OrderPlaced event;
    event.set_order_id("o-1");
    event.set_customer("17850");
    event.set_country("EIRE");
    *event.mutable_lines() = place().lines();
    event.set_units(3);
    event.set_total_mills(3001);
    return event;
}
template <class Message>
Message order(const std::string& id) {
    Message message;
    message.set_order_id(id);
    return message;
}
template <class Message>
Message amount(std::int64_t mills) {
    auto message = order<Message>("o-1");
    message.set_amount_mills(mills);
    return message;
}

}  // namespace shop::test
