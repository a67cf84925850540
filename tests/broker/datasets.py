"""The real data sets as the files an import takes: as published, or with their rows in random order."""

import csv
import random
import shutil

OLIST = ("olist_orders_dataset.csv", "olist_order_reviews_dataset.csv")
OLIST_SIDE_TABLES = ("olist_customers_dataset.csv", "olist_order_items_dataset.csv", "olist_order_payments_dataset.csv")


def olist(data, folder, seed=None):
    """Orders and reviews; the tables which the mapping looks things up in lie beside them."""
    for name in OLIST_SIDE_TABLES:
        shutil.copy(data / "olist_subset/open" / name, folder / name)
    shutil.copy(data / "olist_subset/shared/olist_products_dataset.csv", folder)
    return [_copy(data / "olist_subset/open" / name, folder / name, seed) for name in OLIST]


def helpdesk(data, folder, seed=None):
    return [_copy(data / "helpdesk_polato/helpdesk.csv", folder / "helpdesk.csv", seed)]


def _copy(source, path, seed):
    with open(source, newline="", encoding="utf-8-sig") as file:
        header, *rows = csv.reader(file)
    if seed is not None:
        random.Random(seed).shuffle(rows)
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
    return path
