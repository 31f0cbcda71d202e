"""What is in a prompt."""


def block_texts(content):
    return [content] if isinstance(content, str) else [block["text"] for block in content]


def now_line(body):
    """What time it is for the user: a block of its own before the new message and what was found for it."""
    texts = block_texts(body["messages"][-1]["content"])[:-1]
    if texts and texts[-1].startswith("<recalled>\n"):
        texts.pop()
    return texts[-1] if texts and texts[-1].startswith("Now: ") else ""


def recalled_block(body):
    """What was found for the new message: a block of its own right before it; "" if there is none."""
    texts = block_texts(body["messages"][-1]["content"])
    return texts[-2] if len(texts) > 1 and texts[-2].startswith("<recalled>\n") else ""


def recalled_lines(body):
    return recalled_block(body).split("\n")[1:-1]


def prompt_turns(body):
    """(role, text) of every message of a request; the texts of one message are joined. Without the time
    and what was recalled."""
    turns = [(m["role"], block_texts(m["content"])) for m in body["messages"]]
    before_message = sum(1 for text in (recalled_block(body), now_line(body)) if text)
    del turns[-1][1][-1 - before_message : -1]
    return [(role, "\n".join(texts)) for role, texts in turns]


def new_message(body):
    return block_texts(body["messages"][-1]["content"])[-1]


def system_text(body):
    return "\n".join(block_texts(body.get("system", "")))


def memory_lines(body):
    """The lines of the list of memories in a prompt."""
    text = system_text(body)
    if "<memories>\n" not in text:
        return []
    # The instructions mention the fences; the list is what follows the last opening one.
    listed = text.rsplit("<memories>\n", 1)[1].split("\n</memories>", 1)[0]
    return listed.split("\n")
