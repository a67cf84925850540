"""The real data sets as files an import takes. Rows are joined and shuffled here; nothing else is done to them."""

import csv
import random


def _read(path):
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = list(csv.reader(file))
    return rows[0], rows[1:]


def _write(path, header, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
    return path


def olist(data, folder, seed=None):
    """The orders and the reviews, each with the person's id, which the shop keeps in a third file."""
    header, customers = _read(data / "olist_subset/open/olist_customers_dataset.csv")
    person = {row[0]: (row[1], row[4]) for row in customers}
    header, orders = _read(data / "olist_subset/open/olist_orders_dataset.csv")
    buyer = {row[0]: person[row[1]] for row in orders}
    orders = [row + list(buyer[row[0]]) for row in orders]
    files = [(folder / "orders.csv", header + ["customer_unique_id", "customer_state"], orders)]
    header, reviews = _read(data / "olist_subset/open/olist_order_reviews_dataset.csv")
    reviews = [row + list(buyer[row[1]]) for row in reviews if row[1] in buyer]
    files.append((folder / "reviews.csv", header + ["customer_unique_id", "customer_state"], reviews))
    return _shuffled(files, seed)


def helpdesk(data, folder, seed=None):
    header, rows = _read(data / "helpdesk_polato/helpdesk.csv")
    return _shuffled([(folder / "helpdesk.csv", header, rows)], seed)


def _shuffled(files, seed):
    if seed is not None:
        for _, _, rows in files:
            random.Random(seed).shuffle(rows)
    return [_write(path, header, rows) for path, header, rows in files]
