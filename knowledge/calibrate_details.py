"""Learns when a record lacks the detail asked for: ``python -m knowledge.calibrate_details``.

Fitted on the labelled training questions about one policy, answerable ones and ones whose detail is not recorded; the cut
is chosen on the development ones. Test questions are never read.
"""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
from sklearn.metrics import roc_auc_score

from knowledge.calibrate import Questions, read_all
from knowledge.catalogue import Catalogue, read_catalogue
from knowledge.detail import FEATURES, MODEL_FILE, Details
from knowledge.fit_text_model import fit_text_model
from knowledge.text_model import Features, blank_model, to_json

# Of the development questions whose detail is recorded at most this share may be taken for missing. The table of details
# was written with these policies at hand: one stated in words it does not know is four times as frequent elsewhere.
REFUSED = 0.01


def about_one_policy(questions: Questions) -> Questions:
    """The questions that name the policy they are about, whether or not its record answers them."""
    return [q for q in questions if q.policy_id and not q.expected_policies_all]


def features_of(details: Details, catalogue: Catalogue, questions: Questions) -> list[Features]:
    return [details.features(q.text, catalogue.policies[q.policy_id or ""]) for q in questions]


def main() -> None:
    catalogue = read_catalogue()
    details = Details(catalogue, blank_model(len(FEATURES)))
    train, dev = (
        about_one_policy(read_all(split, with_authors=True)) for split in ("train", "dev")
    )
    held = np.array([not question.unanswerable for question in train])
    model = fit_text_model(features_of(details, catalogue, train), held)
    found = np.array([model.chance(each) for each in features_of(details, catalogue, dev)])
    held = np.array([not question.unanswerable for question in dev])
    cut = round(float(np.quantile(found[held], REFUSED)), 3)
    text = json.dumps(to_json(replace(model, cut=cut), FEATURES), ensure_ascii=False, indent=0)
    MODEL_FILE.write_text(text + "\n", encoding="utf-8")
    print(f"train {len(train)} questions, {len(model.grams)} n-grams; dev {len(dev)} questions")
    print(
        f"dev AUC {roc_auc_score(held, found):.3f}; below {cut} are {REFUSED:.0%} of the recorded "
        f"details and {(found[~held] < cut).mean():.1%} of {int((~held).sum())} missing ones"
    )


if __name__ == "__main__":
    main()
