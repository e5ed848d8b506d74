"""Tests of the page in the browser: in a real one, by keys, and by the requests that anybody could send."""
