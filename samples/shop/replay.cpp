#include "replay.hpp"

#include <utility>

#include "opening_stock.hpp"

namespace shop {

namespace {

Line* add_line(google::protobuf::RepeatedPtrField<Line>& lines, const RetailRow& row,
               std::int64_t quantity) {
    Line* line = lines.Add();
    line->set_sku(row.sku);
    line->set_quantity(quantity);
    line->set_price_mills(row.price_mills);
    return line;
}

}  // namespace

Replay::Replay(recount::Streams& store, Repositories& shop, ReplayOptions options)
    : store_(store), shop_(shop), options_(std::move(options)), batch_(store) {}

ReplayResult Replay::run(const std::filesystem::path& file, const FileTotals& totals,
                         const AfterCommit& after_commit) {
    result_ = {};
    after_commit_ = after_commit;
    stopping_ = false;
    open_stock(file, totals);
    for_each_invoice(file, totals, [this](const Invoice& invoice) {
        if (stopping_) return;
        switch (invoice.front().kind()) {
            case InvoiceKind::sale:
                sell(invoice);
                break;
            case InvoiceKind::goods_returned:
                take_back(invoice);
                break;
            case InvoiceKind::debt_adjusted:
                for (std::size_t i = 0; i < invoice.size(); ++i) correct_debt(invoice[i], i + 1);
                break;
        }
        result_.rows += static_cast<std::int64_t>(invoice.size());
    });
    if (!stopping_) commit();
    result_.finished = !stopping_;
    return std::move(result_);
}

void Replay::open_stock(const std::filesystem::path& file, const FileTotals& totals) {
    for (const auto& [sku, units] : opening_stock(file, totals)) {
        OpenStock open;
        open.set_sku(sku);
        open.set_units(units);
        // The whole file needs more than the month: another amount is another command, which adds
        // what is missing.
        send(shop_.stock, sku, open,
             options_.source + "/opening/" + std::to_string(units) + "/" + sku, nullptr);
    }
}

void Replay::sell(const Invoice& invoice) {
    const RetailRow& first = invoice.front();
    PlaceOrder place;
    place.set_order_id(first.invoice);
    place.set_customer(first.customer);
    place.set_country(first.country);
    place.set_source(options_.source);
    for (std::size_t i = 0; i < invoice.size(); ++i) {
        if (invoice[i].quantity < 0) {
            correct_stock(invoice[i], i + 1);
        } else {
            add_line(*place.mutable_lines(), invoice[i], invoice[i].quantity);
        }
    }
    const std::string placing = id_of(invoice, "place");
    if (place.lines().empty() || happened<Order>(first.invoice, place, placing)) return;

    fill_cart(invoice);
    CheckOut check_out;
    check_out.set_order_id(first.invoice);
    enqueue(shop_.carts, first.invoice, check_out, id_of(invoice, "check-out"), &invoice.back());
    enqueue(shop_.orders, first.invoice, place, placing, &invoice.back());
}

void Replay::fill_cart(const Invoice& invoice) {
    bool begun =
        true;  // until a line is found that was never added: then neither were those behind
    for (std::size_t i = 0; i < invoice.size(); ++i) {
        const RetailRow& row = invoice[i];
        if (row.quantity < 0) continue;
        AddItem add;
        add.set_sku(row.sku);
        add.set_quantity(row.quantity);
        add.set_price_mills(row.price_mills);
        add.set_description(row.description);
        const std::string id = id_of(row, i + 1, "add");
        begun = begun && happened<Cart>(row.invoice, add, id);
        if (!begun) enqueue(shop_.carts, row.invoice, add, id, &row);
    }
}

void Replay::take_back(const Invoice& invoice) {
    const RetailRow& first = invoice.front();
    AcceptReturn accept;
    accept.set_return_id(first.invoice);
    accept.set_customer(first.customer);
    accept.set_country(first.country);
    CreditCustomer credit;
    credit.set_return_id(first.invoice);
    for (const RetailRow& row : invoice) {
        add_line(*accept.mutable_lines(), row, -row.quantity);
        credit.set_amount_mills(credit.amount_mills() - row.mills());
    }
    const std::string accepting = id_of(invoice, "accept");
    if (happened<Order>(first.invoice, accept, accepting)) return;

    for (std::size_t i = 0; i < invoice.size(); ++i) {
        ReturnStock put_back;
        put_back.set_sku(invoice[i].sku);
        put_back.set_return_id(first.invoice);
        put_back.set_units(-invoice[i].quantity);
        send(shop_.stock, invoice[i].sku, put_back, id_of(invoice[i], i + 1, "return"),
             &invoice[i]);
    }
    if (credit.amount_mills() > 0) {
        send(shop_.payments, first.invoice, credit, id_of(invoice, "credit"), &invoice.back());
    }
    enqueue(shop_.orders, first.invoice, accept, accepting, &invoice.back());
}

void Replay::correct_stock(const RetailRow& row, std::size_t line) {
    AdjustStock adjust;
    adjust.set_sku(row.sku);
    adjust.set_change(row.quantity);
    adjust.set_price_mills(row.price_mills);
    adjust.set_reason(row.description);
    adjust.set_customer(row.customer);
    adjust.set_country(row.country);
    send(shop_.stock, row.sku, adjust, id_of(row, line, "adjust"), &row);
}

void Replay::correct_debt(const RetailRow& row, std::size_t line) {
    AdjustDebt adjust;
    adjust.set_document(row.invoice);
    adjust.set_sku(row.sku);
    adjust.set_quantity(row.quantity);
    adjust.set_price_mills(row.price_mills);
    adjust.set_customer(row.customer);
    adjust.set_country(row.country);
    send(shop_.payments, row.invoice, adjust, id_of(row, line, "adjust"), &row);
}

template <class State, class Command>
void Replay::send(recount::Repository<State>& repository, const std::string& id,
                  const Command& command, const std::string& command_id, const RetailRow* row) {
    if (stopping_ || happened<State>(id, command, command_id)) return;
    enqueue(repository, id, command, command_id, row);
}

template <class State, class Command>
void Replay::enqueue(recount::Repository<State>& repository, const std::string& id,
                     const Command& command, const std::string& command_id, const RetailRow* row) {
    if (stopping_) return;
    recount::CommandOptions options{.command_id = command_id};
    if (row != nullptr) {
        options.correlation_id = row->invoice;
        options.occurred_at = row->at;
    }
    repository.enqueue(batch_, id, command, options);
    if (batch_.size() >= options_.commands) commit();
}

template <class State, class Command>
bool Replay::happened(const std::string& id, const Command& command,
                      const std::string& command_id) {
    return recount::find_outcome(store_, {State::category, id}, command, command_id).has_value();
}

std::string Replay::id_of(const Invoice& invoice, const std::string& what) const {
    return options_.source + "/" + invoice.front().invoice + "/" + what;
}

std::string Replay::id_of(const RetailRow& row, std::size_t line, const std::string& what) const {
    return options_.source + "/" + row.invoice + "/" + std::to_string(line) + "/" + what;
}

void Replay::commit() {
    for (const recount::Outcome& outcome : batch_.commit()) {
        ++result_.commands;
        if (outcome) continue;
        ++result_.refused;
        if (result_.refusals.size() < 10) {
            result_.refusals.push_back(outcome.command_id() + ": " + outcome.rejection().code +
                                       " " + outcome.rejection().detail);
        }
    }
    stopping_ = !after_commit_(result_.rows);
}

}  // namespace shop
