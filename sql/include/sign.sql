-- What :draft holds, signed by :signer, as :signed.
\setenv DRAFT :draft
\set key :keys :signer .key
\set signed `printf '%s\n' "$DRAFT" | :tool sign :'key' - 2>/dev/null`
