import pytest
from tokenizers import Tokenizer

from roleplay.models import Sampling
from roleplay.models.making import BUNDLED, make_model


@pytest.fixture(scope="session")
def bundled():
    return make_model("bundled")


CARD = {"role": "system", "content": "zh-CN inbound angry 42 李建国"}
HEARD = {"role": "user", "content": "您好，星桥移动，请问有什么可以帮您？\n[open_direct 311] 本月话费328元"}


def test_the_bundled_customer_speaks_chinese(bundled):
    said = ["".join(bundled.stream([CARD, HEARD], Sampling(max_tokens=60, seed=seed))) for seed in range(5)]
    letters = [letter for text in said for letter in text if letter.isalnum()]
    assert sum("\u4e00" <= letter <= "\u9fff" for letter in letters) / len(letters) > 0.6
    assert "�" not in "".join(said) and "<|" not in "".join(said)
    assert not bundled.writes and bundled.spec == "bundled"


def test_the_bundled_template_is_what_the_recipe_trained_on(bundled):
    from roleplay.training.customer_texts import encode

    answer = {"role": "assistant", "content": "三百二十八！怎么回事？"}
    tokenizer = Tokenizer.from_file(str(BUNDLED / "tokenizer.json"))
    trained, _ = encode(tokenizer, [(m["role"], m["content"]) for m in (CARD, HEARD, answer, HEARD)])
    prompt = bundled._tokens(bundled._loaded.render([CARD, HEARD, answer, HEARD]))
    assert prompt == [*trained, tokenizer.token_to_id("<|customer|>")]


def test_the_bundled_customer_prefers_the_line_that_tells_the_fact(bundled):
    told, other = bundled.weigh(
        [CARD, HEARD], ["我这个月话费三百二十八元，怎么回事？", "我家宽带断了三天了，怎么回事？"]
    )
    assert told > other
