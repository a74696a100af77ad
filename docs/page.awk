# SPDX-License-Identifier: LGPL-2.1-or-later
# awk -v page=NAME -v version=VERSION -f page.awk FILE.md: a manual page of section 7 from a page of docs/ that has
# headings, paragraphs, lists, blocks and tables. A table's row becomes an entry.
function inline(s,   n, parts, i, out) {
	gsub(/\\/, "\\e", s)
	gsub(/…/, "...", s)
	gsub(/-/, "\\-", s)
	gsub(/'/, "\\(aq", s)
	n = split(s, parts, "`")
	for (i = 1; i <= n; i++)
		out = out (i == 1 ? "" : i % 2 ? "\\fR" : "\\fB") parts[i]
	return out ~ /^[.]/ ? "\\&" out : out
}
function row(   cell, n, i, text) {
	# A bar within a cell is written with a backslash.
	gsub(/\\\|/, "\001")
	n = split($0, cell, / *\| */)
	gsub(/\001/, "|")
	for (i = 2; i < n; i++) {
		gsub(/\001/, "|", cell[i])
		if (!titled)
			title[i] = cell[i]
		else if (i == 2)
			text = ".TP\n" inline(cell[i]) "\n"
		else if (cell[i] != "")
			text = text inline((title[i] == "" ? "" : title[i] ": ") cell[i]) ".\n"
	}
	titled = 1
	printf "%s", text
}
FNR == 1 {
	printf ".\\\" Written from the page of docs/.\n.TH %s 7 \"\" \"oakum %s\" \"oakum\"\n", page, version
	printf ".SH NAME\n%s \\- %s\n.SH DESCRIPTION\n", page, tolower(inline(substr($0, 3)))
	next
}
/^<!--/ { next }
/^```/ { print fenced ? ".fi\n.RE" : ".RS\n.nf"; fenced = !fenced; next }
fenced { print inline($0); next }
block && !/^    / { print ".fi\n.RE"; block = 0 }
/^$/ { gap = 1; titled = 0; next }
/^#+ / { sub(/^#+ /, ""); print ".SH " toupper(inline($0)); gap = 0; next }
/^\|[-| ]*$/ { next }
/^\|/ { row(); gap = 0; next }
/^    / {
	if (!block)
		print ".RS\n.nf"
	block = 1
	print inline(substr($0, 5))
	next
}
/^- / { print ".IP \\(bu 2"; $0 = substr($0, 3); gap = 0 }
{
	if (gap)
		print ".PP"
	gap = 0
	sub(/^ +/, "")
	print inline($0)
}
END { print ".SH SEE ALSO\n.BR oakum (1)" }
