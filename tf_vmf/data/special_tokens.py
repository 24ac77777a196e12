"""Token ids with a meaning of their own, the same in every vocabulary of sentences; words follow them."""

PAD_ID = 0  # fills the rows of a batch after the end of a sentence; never read, never predicted, counted nowhere
EOS_ID = 1  # ends every sentence
UNK_ID = 2  # stands for every word outside the vocabulary

SPECIAL_TOKENS = ("<pad>", "<eos>", "<unk>")  # their strings, at the positions of their ids
