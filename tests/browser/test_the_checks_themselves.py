"""What the other tests rely on: a barrier is found, another host is out of reach, a broken policy is noticed."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Open, Served, barriers, foreign


def test_a_barrier_is_found(served: Served, open_page: Open) -> None:
    page = open_page(served("text_sentiment_classifier") + "/app/")
    page.evaluate("""() => {
      const picture = document.createElement("img"), button = document.createElement("button");
      document.querySelector("main").append(picture, button);
    }""")
    found = " ".join(barriers(page))
    assert "image-alt" in found
    assert "button-name" in found


def test_another_host_is_out_of_reach(served: Served, open_page: Open) -> None:
    page = open_page(served("text_sentiment_classifier") + "/app/")
    answered = page.context.new_page()
    with pytest.raises(Exception, match="ERR_NAME_NOT_RESOLVED"):
        answered.goto("http://example.org/")
    assert foreign("https://example.org/x.js")
    assert not foreign("http://127.0.0.1:5000/x.js")
