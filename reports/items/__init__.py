"""The evidence behind a leaderboard as files that a page loads when it needs them: shards of items and answers.

    SET/data/head.js              what the pages of a dataset share: runs, columns, tags, sizes
    SET/data/ids.js  tag-T.js     ids of all items; the value of a tag of each
    SET/data/outcome-R-M.js       one letter an item: what metric M says of run R's answer
    SET/data/text-C.js            questions, a chunk of items a file
    SET/data/item-C.js  answer-R-C.js  prompt-P-C.js    all that is known, a chunk of items a file

A page that is opened from disk cannot fetch, so each shard is a script that hands over one JSON text.
"""
